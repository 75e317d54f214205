//! Walks the steps with the map that they get, and settles everything: names, sizes, repetitions. Notes mistakes; after
//! one the map is unknown, and no rule complains about an unknown map. Knows no layer: rules are the table's.

mod arguments;
pub(crate) mod blocks;
mod claims;
mod constant;
mod expressions;
pub(crate) mod family;
mod foreign;
mod join_rules;
mod joins;
mod labels;
mod layers;
mod limits;
pub(crate) mod ports;
mod repeat;
mod uses;
mod wires;

use std::collections::HashMap;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::Ident;

use crate::error::Errors;
use crate::layers::{CheckedSizes, Cost, Outcome};
use crate::parse::ast::{self, Body, Layer};
use crate::plan::{AtSize, Constant, ConstantType, INPUT, Kind, Map, MapId, Plan, Run, Step, StepId};
use crate::size::{Shape, Size};
use arguments::Settle;
use blocks::Blocks;
use constant::{Meaning, Scope};
use labels::Labels;
use wires::Wires;

/// Settles a network, at one size if it has several. Where mistakes were noted the plan ends early or has gaps: good for
/// nothing but its input.
pub(crate) fn plan<'b>(
    network: &'b ast::Network,
    at: Option<&AtSize>,
    blocks: &mut Blocks<'b>,
    errors: &mut Errors,
) -> Plan {
    let mut walk = Walk {
        plan: Plan::default(),
        network: &network.name,
        blocks,
        errors,
        current: None,
        paths: HashMap::new(),
        parameters: at.map(family::meanings).unwrap_or_default(),
        uses: 0,
        wires: Wires::default(),
        labels: Labels::default(),
        last: network.body.steps.last(),
    };
    let mark = walk.enter_apart(&network.body);
    walk.inputs(network);
    let takes = walk.plan.steps.len();
    walk.steps(&network.body, &Names::default(), 0);
    walk.leave_body(mark);
    let sound = walk.errors.count() == 0 && walk.plan.told_by.is_none();
    if walk.plan.steps.len() == takes && sound {
        walk.errors.note(&network.name, format!("{}: a network needs at least one step", network.name));
    }
    if sound && let Some(text) = limits::too_large_together(&walk.plan) {
        walk.errors.note(&network.name, format!("{}: {text}", network.name));
    }
    walk.plan.output = walk.current.unwrap_or(INPUT);
    if sound && walk.errors.count() == 0 {
        walk.all_are_read();
    }
    walk.plan
}

struct Walk<'a, 'b> {
    plan: Plan,
    network: &'a Ident,
    blocks: &'a mut Blocks<'b>,
    errors: &'a mut Errors,
    /// The map that the next step gets; unknown after a mistake.
    current: Option<MapId>,
    /// Steps that have values of their own, by their names.
    paths: HashMap<String, StepId>,
    /// Of the block that the walk is in, or of the network: what its parameters stand for.
    parameters: Vec<(String, Meaning)>,
    /// How many uses of blocks there were.
    uses: usize,
    wires: Wires,
    labels: Labels<'b>,
    /// The last step of the network.
    last: Option<&'b ast::Step>,
}

/// Where a step has its names.
#[derive(Clone, Copy)]
struct Named<'n> {
    /// The names of the sequence that it is in.
    names: &'n Names,
    /// Its own.
    own: &'n Names,
    /// Those of what is in it.
    body: &'n Names,
    /// The count of the next step, where it writes steps into the sequence around it.
    index: usize,
    /// Whether its own are those of a label.
    is_labelled: bool,
}

/// The names of the sequences around a step. A branch without a label lends its labels to the sequence around the join, while
/// its steps without labels are counted in the branch, so that they meet no others.
#[derive(Debug, Clone, Default)]
struct Names {
    /// Around a step with a label.
    labels: Vec<String>,
    /// Around one that is counted.
    counted: Vec<String>,
    /// Whether they are those of a step that lends its names, `_: layer`.
    lent: bool,
}

impl Names {
    fn label(&self, label: &ast::Label) -> Self {
        Self::of([self.labels.as_slice(), &[label.of_weights()]].concat())
    }

    fn count(&self, index: usize) -> Self {
        Self::of([self.counted.as_slice(), &[index.to_string()]].concat())
    }

    fn of(names: Vec<String>) -> Self {
        Self { counted: names.clone(), labels: names, lent: false }
    }

    /// Those of a step in this sequence.
    fn step(&self, step: &ast::Step, index: usize) -> Self {
        match step.named() {
            Some(label) => self.label(label),
            None if step.lends_names() => Self { lent: true, ..self.clone() },
            None => self.count(index),
        }
    }

    fn path(&self) -> String {
        self.labels.join(".")
    }
}

impl<'b> Walk<'_, 'b> {
    /// Walks steps that are named in `names`, counted from `first`; returns the count behind the last.
    fn sequence(&mut self, body: &'b Body, names: &Names, first: usize) -> usize {
        let mark = self.enter_body();
        let behind = self.steps(body, names, first);
        self.leave_body(mark);
        behind
    }

    /// The same in a body whose wires are seen already.
    fn steps(&mut self, body: &'b Body, names: &Names, first: usize) -> usize {
        self.distinct_labels(body);
        let mut index = first;
        for step in &body.steps {
            index = self.step(step, names, index);
        }
        index
    }

    fn step(&mut self, step: &'b ast::Step, names: &Names, index: usize) -> usize {
        let own = names.step(step, index);
        self.made_by(step, Named { names, own: &own, body: &own, index, is_labelled: step.label.is_some() })
    }

    /// A step of a join of this name: one without a label lends its labels to the sequence that the join stands in, whose
    /// names are `names`.
    fn branch(&mut self, step: &'b ast::Step, join: &Names, names: &Names, index: usize) {
        if step.label.is_some() {
            let own = names.step(step, index);
            self.made_by(step, Named { names, own: &own, body: &own, index: 0, is_labelled: true });
        } else {
            let own = join.count(index);
            let body = Names { labels: names.labels.clone(), ..own.clone() };
            self.made_by(step, Named { names: &body, own: &own, body: &body, index: 0, is_labelled: false });
        }
    }

    /// A step with what is said of the map that it makes. Returns the count behind it.
    fn made_by(&mut self, step: &'b ast::Step, at: Named<'_>) -> usize {
        let (name, next) = self.layer(step, at);
        if let Some(claim) = &step.claim {
            self.claim(claim, &name);
        }
        if let Some(wire) = &step.wire {
            self.name_map(wire);
        }
        self.remember(step, at.own);
        next
    }

    /// A step: how messages call it, and the count behind it.
    fn layer(&mut self, step: &'b ast::Step, at: Named<'_>) -> (String, usize) {
        let Named { names, own, body, index, is_labelled } = at;
        let called = |layer: &str| match step.own_label() {
            Some(_) => own.path(),
            None if step.lends_names() => format!("{} ({layer})", names.count(index).path()),
            None => format!("{} ({layer})", own.path()),
        };
        let mut next = index + 1;
        if let Layer::Call(_) | Layer::Type(_) | Layer::Broken = &step.layer {
            self.plan.heads.clear();
        }
        let name = match &step.layer {
            Layer::Call(call) => {
                let name = called(&call.name.to_string());
                if self.take_wire(call) {
                    // It is no step: what follows has the names that it would have without it.
                    next = index;
                } else if let Some((index, block)) = self.blocks.find(&call.name) {
                    self.block(index, block, call, &name, body);
                } else {
                    self.call(call, &name, own);
                }
                name
            }
            Layer::Sequence(steps) => {
                self.sequence(steps, body, 0);
                called("sequence")
            }
            Layer::Repeat { count, body: steps } => {
                let (names, first) = if is_labelled { (own, 0) } else { (names, index) };
                let last = self.repeat(count, steps, names, first);
                next = if is_labelled { next } else { last };
                called("repeat")
            }
            Layer::Type(path) => {
                let name = called(&path.to_token_stream().to_string().replace(' ', ""));
                self.custom(path, own);
                name
            }
            Layer::Join { kind, branches } => {
                let name = called(&kind.to_string());
                let lent = if is_labelled { own } else { names };
                self.join(kind, branches, &name, own, lent);
                name
            }
            Layer::Outputs { word, branches } => {
                self.outputs(word, branches, step, at);
                called("outputs")
            }
            Layer::Map { word, closure } => {
                let name = called(&word.to_string());
                self.map(word, closure, &name, own);
                self.plan.heads.clear();
                name
            }
            Layer::Share { word, label } => {
                let name = called(&word.to_string());
                self.share(label, &name);
                name
            }
            Layer::Broken => {
                self.current = None;
                called("step")
            }
        };
        (name, next)
    }

    /// The shape that a rule found; what only rustc knows becomes a constant.
    fn made(&mut self, outcome: Outcome, at: &Ident) -> Shape {
        let (sizes, check) = match outcome {
            Outcome::Known(shape) => return shape,
            Outcome::Checked { sizes, check } => (sizes, check),
        };
        self.checked(sizes, check, at)
    }

    /// A shape of which rustc evaluates what is not known.
    fn checked(&mut self, sizes: CheckedSizes, check: TokenStream, at: impl ToTokens) -> Shape {
        let made = self.settle().constant(ConstantType::Made, check, at);
        let whole = Shape::Sizes(quote!(#made.sizes));
        let [channels, height, width] = whole.sizes();
        match sizes {
            CheckedSizes::Flat(features) => Shape::Flat(features.map_or(channels, Size::Known)),
            CheckedSizes::Chw([c, h, w]) => Shape::Chw([
                c.map_or(channels, Size::Known),
                h.map_or(height, Size::Known),
                w.map_or(width, Size::Known),
            ]),
            CheckedSizes::Unknown => whole,
        }
    }

    /// Notes a mistake after which the map is unknown.
    fn wrong(&mut self, tokens: impl ToTokens, text: String) {
        self.errors.note(tokens, text);
        self.current = None;
    }

    /// The names that sizes may use where the current map is.
    fn scope(&self) -> Scope {
        let names = blocks::SIZES;
        let meaning = |index: usize| match self.current.map(|id| &self.plan.map(id).shape) {
            None => Meaning::Unknown,
            Some(Shape::Flat(size)) => Meaning::Nothing(format!(
                "`{}` is a size of a map, and this step gets {} flat features\n\
                 help: the number itself; a map has channels, height and width, before `flatten`",
                names[index],
                size.known().map_or("?".to_owned(), |size| size.to_string())
            )),
            Some(shape) => Meaning::Size(shape.sizes()[index].clone()),
        };
        let sizes = names.iter().enumerate().map(|(index, name)| ((*name).to_owned(), meaning(index)));
        Scope { names: sizes.chain(self.parameters.iter().cloned()).collect() }
    }

    fn add_step(&mut self, kind: Kind, span: Span, cost: Option<Cost>, names: &Names, inputs: Vec<MapId>, output: Map) {
        let (path, step) = (names.path(), self.plan.steps.len());
        for input in &inputs {
            let readers = &mut self.plan.maps[input.0].readers;
            if readers.last() != Some(&step) {
                readers.push(step);
            }
        }
        let output = self.add_map(Map { writer: Some(step), ..output });
        let mut new = Step {
            path,
            span,
            kind,
            cost,
            inputs,
            output,
            run: Run::Apart,
            pooled_by: None,
            shares: None,
            into: None,
            adds_to: None,
            folds: Vec::new(),
            adds: Vec::new(),
        };
        self.name_weights(&mut new, step, names);
        self.plan.steps.push(new);
        self.current = Some(output);
    }

    fn add_map(&mut self, map: Map) -> MapId {
        self.plan.maps.push(Map { constants: self.plan.constants.len(), ..map });
        MapId(self.plan.maps.len() - 1)
    }

    /// Whether nothing was wrong on the way to a map, for rustc to evaluate.
    fn sound(&self, map: &Shape) -> TokenStream {
        let made = self.plan.constants.iter().rev().find(|constant| constant.of == ConstantType::Made);
        match made {
            Some(Constant { name, .. }) if !map.is_known() => quote!(#name.sound),
            _ => quote!(true),
        }
    }

    /// What settles numbers where the current map is.
    fn settle(&mut self) -> Settle<'_> {
        let scope = self.scope();
        Settle { scope, constants: &mut self.plan.constants, errors: self.errors }
    }
}
