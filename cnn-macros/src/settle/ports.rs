//! What goes into a network and comes out of it, where that is more than one map: several inputs, which are wires, and
//! `outputs { .. }`.

use syn::Ident;
use syn::ext::IdentExt;

use super::limits::too_large;
use super::{Named, Names, Walk};
use crate::layers::Cost;
use crate::parse::ast::{self, Body, Layer};
use crate::plan::{INPUT, Join, JoinKind, Kind, Map, MapId, Port, behind_each_other};
use crate::size::Shape;

impl<'b> Walk<'_, 'b> {
    /// The maps that the network takes; the first is what its first step gets.
    pub(super) fn inputs(&mut self, network: &'b ast::Network) {
        let what = |input: &ast::Input| match &input.name {
            Some(name) => format!("{}: the input `{name}`", network.name),
            None => format!("{}: the input", network.name),
        };
        let mut shapes = Vec::new();
        for input in &network.inputs {
            let shape = self.dims(&input.dims, &what(input));
            shapes.push(shape.map(|shape| self.taken(&input.dims, shape)));
        }
        if let [input] = network.inputs.as_slice() {
            self.current = shapes.remove(0).map(|shape| self.add_map(Map::new(shape)));
            if let Some(name) = &input.name {
                self.name_input(name);
            }
            return;
        }
        let len = |shape: &Option<Shape>| shape.as_ref().map(Shape::len);
        let firsts = shapes.iter().map(len).collect::<Option<Vec<_>>>().map(|lens| behind_each_other(lens.into_iter()));
        if let Some((_, all)) = &firsts {
            let all = Shape::Flat(all.clone());
            if let Some(text) = too_large(&all) {
                self.errors.note(&network.name, format!("{}: what it takes {text}", network.name));
            }
            self.add_map(Map::new(all));
        }
        let mut first_map = None;
        for (index, (input, shape)) in network.inputs.iter().zip(shapes).enumerate() {
            let Some(name) = &input.name else { continue };
            self.current = None;
            if let (Some(shape), Some((firsts, _))) = (shape, &firsts) {
                let kind = Kind::Take { first: firsts[index].clone() };
                let names = Names::of(vec![name.unraw().to_string()]);
                self.add_step(kind, name.span(), Some(Cost::default()), &names, vec![INPUT], Map::new(shape));
                let map = self.current.unwrap_or(INPUT);
                self.plan.inputs.push(Port { name: name.clone(), map });
            }
            self.name_input(name);
            first_map = first_map.or(self.current);
        }
        self.current = first_map;
    }

    /// `outputs { name: step, .. }`, the last step of a network.
    pub(super) fn outputs(&mut self, word: &Ident, branches: &'b Body, step: &'b ast::Step, at: Named<'_>) {
        if !self.last.is_some_and(|last| std::ptr::eq(last, step)) {
            let text = "`outputs` is what a network ends in\nhelp: as the last step of the network itself, in no brackets; \
                        what comes before has a name, `step as name`";
            self.wrong(word, text.to_owned());
            return;
        }
        if let Some(label) = &step.label {
            self.errors.note(&label.name, "`outputs` has no label: each output has a name\nhelp: leave the label out");
        }
        if branches.steps.is_empty() {
            self.wrong(word, "`outputs` has no outputs\nhelp: `outputs { boxes: [ .. ], scores: [ .. ] }`".to_owned());
            return;
        }
        self.distinct_outputs(branches);
        let (input, mark) = (self.current, self.enter_body());
        let mut outputs = Vec::new();
        for (index, branch) in branches.steps.iter().enumerate() {
            self.current = input;
            // An output's name is none of its weights'.
            let own = at.own.count(index);
            let body = Names { labels: at.names.labels.clone(), ..own.clone() };
            self.made_by(branch, Named { names: &body, own: &own, body: &body, index: 0, is_labelled: false });
            let name = branch.own_label().cloned().unwrap_or_else(|| word.clone());
            outputs.push(self.current.map(|map| Port { name, map }));
        }
        self.leave_body(mark);
        self.plan.heads.clear();
        self.current = None;
        let Some(outputs) = outputs.into_iter().collect::<Option<Vec<_>>>() else { return };
        if let [only] = outputs.as_slice() {
            self.current = Some(only.map);
            return;
        }
        let maps: Vec<MapId> = outputs.iter().map(|output| output.map).collect();
        let (_, all) = behind_each_other(maps.iter().map(|map| self.plan.map(*map).shape.len()));
        let all = Shape::Flat(all);
        if let Some(text) = too_large(&all) {
            self.wrong(word, format!("what it makes {text}\nhelp: smaller maps"));
            return;
        }
        self.plan.outputs = outputs;
        let kind = Kind::Join(Join { kind: JoinKind::Outputs });
        self.add_step(kind, word.span(), Some(Cost::default()), at.own, maps, Map::new(all));
    }

    fn distinct_outputs(&mut self, branches: &Body) {
        let mut names: Vec<&Ident> = Vec::new();
        for step in &branches.steps {
            if let Some(name) = step.own_label() {
                if names.contains(&name) {
                    self.errors
                        .note(name, format!("two outputs are called `{name}`\nhelp: choose another name for one"));
                }
                names.push(name);
            }
            if step.own_label().is_none() && !matches!(step.layer, Layer::Broken) {
                let text =
                    "an output has a name: `outputs { boxes: [ .. ], .. }`\nhelp: its steps in brackets, behind a name";
                match &step.layer {
                    Layer::Call(call) => self.errors.note(&call.name, text),
                    Layer::Type(path) => self.errors.note(path, text),
                    Layer::Join { kind: word, .. }
                    | Layer::Map { word, .. }
                    | Layer::Outputs { word, .. }
                    | Layer::Share { word, .. } => {
                        self.errors.note(word, text);
                    }
                    Layer::Repeat { count, .. } => self.errors.note(count, text),
                    Layer::Sequence(body) => self.errors.push(syn::Error::new(body.span, text)),
                    Layer::Broken => {}
                }
            }
        }
    }
}
