//! Walks the steps with the map that they get, and settles everything: names, sizes, repetitions. Notes mistakes; after
//! one the map is unknown, and no rule complains about an unknown map. Knows no layer: rules are the table's.

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, Ident};

use crate::arguments::Settle;
use crate::ast::{self, Block, Body, Call, Dims, Layer};
use crate::constant::{self, Meaning, Scope};
use crate::error::{Errors, nearest};
use crate::layers::{self, CheckedSizes, Cost, Outcome, Row, Site};
use crate::plan::{Constant, ConstantType, INPUT, Kind, Map, MapId, Plan, Run, Shape, Size, Step, custom_layer};

/// f32 values that a map or the weights of a layer may have: memory has `isize::MAX` bytes.
const MOST_VALUES: u128 = isize::MAX as u128 / 4;

/// So many steps are a slip of `repeat`, not a network.
const MOST_STEPS: usize = 5_000;

/// Settles a network. Where mistakes were noted the plan ends early or has gaps: good for nothing but its input.
pub(crate) fn plan(network: &ast::Network, blocks: &[Block], errors: &mut Errors) -> Plan {
    let plan = Plan { constants: Vec::new(), maps: Vec::new(), steps: Vec::new(), output: INPUT };
    let mut walk = Walk { plan, blocks, errors, current: None, paths: HashSet::new() };
    let shape = walk.dims(&network.input, &format!("{}: the input", network.name));
    walk.current = shape.map(|shape| walk.add_map(Map::new(shape)));
    walk.sequence(&network.body, &Names::default(), 0);
    if walk.plan.steps.is_empty() && walk.errors.count() == 0 {
        walk.errors.note(&network.name, format!("{}: a network needs at least one step", network.name));
    }
    if walk.errors.count() == 0
        && let Some(text) = too_large_together(&walk.plan)
    {
        walk.errors.note(&network.name, format!("{}: {text}", network.name));
    }
    walk.plan.output = walk.current.unwrap_or(INPUT);
    walk.plan
}

struct Walk<'a> {
    plan: Plan,
    blocks: &'a [Block],
    errors: &'a mut Errors,
    /// The map that the next step gets; unknown after a mistake.
    current: Option<MapId>,
    /// Names of steps.
    paths: HashSet<String>,
}

/// The names of the sequences around a step.
#[derive(Debug, Clone, Default)]
struct Names(Vec<String>);

impl Names {
    fn with(&self, name: &str) -> Self {
        Self([self.0.as_slice(), &[name.to_owned()]].concat())
    }

    fn path(&self) -> String {
        self.0.join(".")
    }
}

impl Walk<'_> {
    /// Walks steps that are named in `names`, counted from `first`; returns the count behind the last.
    fn sequence(&mut self, body: &Body, names: &Names, first: usize) -> usize {
        let mut labels: Vec<&Ident> = Vec::new();
        let mut index = first;
        for step in &body.steps {
            if let Some(label) = &step.label {
                if labels.contains(&label) {
                    let text = format!("the label `{label}` is given twice\nhelp: weights go by it: choose another");
                    self.errors.note(label, text);
                }
                labels.push(label);
            }
            index = self.step(step, names, index);
        }
        index
    }

    fn step(&mut self, step: &ast::Step, names: &Names, index: usize) -> usize {
        let own = step.label.as_ref().map_or_else(|| index.to_string(), unraw);
        let inner = names.with(&own);
        let called = |layer: &str| match step.label {
            Some(_) => inner.path(),
            None => format!("{} ({layer})", inner.path()),
        };
        let mut next = index + 1;
        let name = match &step.layer {
            Layer::Call(call) => {
                let name = called(&call.name.to_string());
                self.call(call, &name, &inner);
                name
            }
            Layer::Sequence(body) => {
                self.sequence(body, &inner, 0);
                called("sequence")
            }
            Layer::Repeat { count, body } => {
                let (names, first) = if step.label.is_some() { (&inner, 0) } else { (names, index) };
                let last = self.repeat(count, body, names, first);
                next = if step.label.is_some() { next } else { last };
                called("repeat")
            }
            Layer::Type(path) => {
                let name = called(&path.to_token_stream().to_string().replace(' ', ""));
                self.custom(path, &inner);
                name
            }
            Layer::Join { kind, branches } => {
                // The branches are walked for the mistakes in them.
                let input = self.current;
                for (index, branch) in branches.steps.iter().enumerate() {
                    self.current = input;
                    self.step(branch, &inner, index);
                }
                self.wrong(kind, format!("`{kind}` comes with a later version: this one has sequences of layers only"));
                called(&kind.to_string())
            }
            Layer::Broken => {
                self.current = None;
                called("step")
            }
        };
        if let Some(claim) = &step.claim {
            self.claim(claim, &name);
        }
        next
    }

    /// Notes a mistake after which the map is unknown.
    fn wrong(&mut self, tokens: impl ToTokens, text: String) {
        self.errors.note(tokens, text);
        self.current = None;
    }

    fn repeat(&mut self, count: &Expr, body: &Body, names: &Names, first: usize) -> usize {
        let times = match self.scope().fold(count) {
            Ok(constant::Value::Known(times)) if times >= 1 => times,
            Ok(constant::Value::Known(times)) => {
                self.wrong(count, format!("repeat: {times} times\nhelp: `repeat<N>` wants N >= 1; `[]` does nothing"));
                1
            }
            Ok(constant::Value::Unknown) => 1,
            Ok(constant::Value::Const(_)) => {
                self.wrong(count, "repeat: only rustc knows this number\nhelp: write it as a number".to_owned());
                1
            }
            Err(mistake) => {
                self.wrong(mistake.tokens, format!("repeat: {}", mistake.text));
                1
            }
        };
        let label = body.steps.iter().find_map(|step| step.label.as_ref());
        if let (Some(label), true) = (label, times > 1) {
            let text = format!(
                "the label `{label}` is given {times} times: `repeat<{times}>` writes its steps {times} times\n\
                 help: with `repeat<{times}> [[ .. ]]` each round is a sequence of its own"
            );
            self.errors.note(label, text);
        }
        let mut index = first;
        for round in 1..=times {
            let (mistakes, steps) = (self.errors.count(), self.plan.steps.len());
            index = self.sequence(body, names, index);
            if self.errors.count() > mistakes {
                // The next round would make the same mistakes again.
                self.current = None;
                break;
            }
            if self.plan.steps.len() == steps {
                // Nothing but names that the rounds to come would use.
                let unused = usize::try_from(times - round).unwrap_or(usize::MAX);
                return index.saturating_add(unused.saturating_mul(body.steps.len()));
            }
            if self.plan.steps.len() > MOST_STEPS {
                self.wrong(count, format!("repeat: more than {MOST_STEPS} steps\nhelp: a smaller N"));
                break;
            }
        }
        index
    }

    /// The names that sizes may use where the current map is.
    fn scope(&self) -> Scope {
        let names = ["channels", "height", "width"];
        let meaning = |index: usize| match self.current.map(|id| &self.plan.map(id).shape) {
            None => Meaning::Unknown,
            Some(Shape::Flat(size)) => Meaning::Nothing(format!(
                "`{}` of {} flat features\nhelp: only maps before `flatten` have channels, height and width",
                names[index],
                size.known().map_or("?".to_owned(), |size| size.to_string())
            )),
            Some(shape) => Meaning::Size(shape.sizes()[index].clone()),
        };
        Scope { names: names.into_iter().enumerate().map(|(index, name)| (name, meaning(index))).collect() }
    }

    fn call(&mut self, call: &Call, name: &str, names: &Names) {
        let Some(row) = layers::ROWS.iter().find(|row| call.name == row.name) else {
            self.unknown_layer(call);
            return;
        };
        let Some(arguments) = self.settle().arguments(call, row, name) else {
            // What works in place leaves the map as it is, whatever its options.
            self.current = self.current.filter(|_| row.in_place);
            return;
        };
        let Some(input) = self.current else { return };
        let input_map = self.plan.map(input).clone();
        let sound = self.sound(&input_map.shape);
        let site = Site { name, layer: &call.name, input: &input_map.shape, sound, arguments: &arguments };
        let outcome = match (row.rule)(&site) {
            Ok(outcome) => outcome,
            Err(error) => {
                self.errors.push(error);
                self.current = None;
                return;
            }
        };
        let shape = match outcome {
            Outcome::Known(shape) => shape,
            Outcome::Checked { sizes, check } => {
                let made = self.settle().constant(ConstantType::Made, check, &call.name);
                let [channels, height, width] = Shape::Sizes(quote!(#made.sizes)).sizes();
                match sizes {
                    CheckedSizes::Flat(features) => Shape::Flat(features.map_or(channels, Size::Known)),
                    CheckedSizes::Chw([c, h, w]) => Shape::Chw([
                        c.map_or(channels, Size::Known),
                        h.map_or(height, Size::Known),
                        w.map_or(width, Size::Known),
                    ]),
                }
            }
        };
        if let Some(text) = overflow(&site, row, &shape) {
            self.wrong(&call.name, text);
            return;
        }
        let cost = (row.cost)(&arguments, &input_map.shape, &shape);
        let probabilities = row.name == "softmax";
        let span = call.name.span();
        let output = Map { probabilities, ..Map::new(shape) };
        self.add_step(Kind::Layer { row, arguments }, span, cost, names, input, output);
    }

    fn unknown_layer(&mut self, call: &Call) {
        let name = call.name.to_string();
        let known = layers::ROWS.iter().map(|row| row.name);
        let text = if self.blocks.iter().any(|block| block.name == call.name) {
            format!("the block `{name}` is not expanded: blocks come with a later version")
        } else if let Some(meant) = nearest(&name, known.clone().chain(["repeat"])) {
            format!("there is no layer `{name}`\nhelp: did you mean `{meant}`?")
        } else {
            let known: Vec<_> = known.collect();
            format!(
                "there is no layer `{name}`\nhelp: the layers are {}; a type of your own starts with a capital letter",
                known.join(", ")
            )
        };
        self.wrong(&call.name, text);
    }

    fn custom(&mut self, path: &syn::Path, names: &Names) {
        let Some(input) = self.current else { return };
        let custom = custom_layer(self.plan.steps.len());
        let sizes = quote!(#custom.sizes);
        let output = Map::new(Shape::Sizes(sizes));
        self.add_step(Kind::Custom(path.clone()), path.span(), None, names, input, output);
    }

    fn add_step(&mut self, kind: Kind, span: Span, cost: Option<Cost>, names: &Names, input: MapId, output: Map) {
        let path = names.path();
        // In one sequence the label was reported; a `repeat` writes its steps into the sequence around it.
        if !self.paths.insert(path.clone()) && self.errors.count() == 0 {
            let text = format!("`{path}` is the name of two steps\nhelp: weights go by it: choose another label");
            self.errors.push(syn::Error::new(span, text));
        }
        let step = self.plan.steps.len();
        self.plan.maps[input.0].readers.push(step);
        let output = self.add_map(Map { writer: Some(step), ..output });
        self.plan.steps.push(Step { path, span, kind, cost, input, output, run: Run::Apart });
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

    /// `=>`: the map must be this one; of a map that the macro does not know it says what it is.
    fn claim(&mut self, claim: &Dims, name: &str) {
        let Some(claimed) = self.dims(claim, &format!("{name}: the map")) else { return };
        let Some(current) = self.current else {
            // After a mistake, the reader's word is as good as any to go on with.
            self.current = Some(self.add_map(Map::new(claimed)));
            return;
        };
        let found = &self.plan.map(current).shape;
        if found.contradicts(&claimed) {
            let text = format!(
                "{name}: the map is {found}, not {claimed}\nhelp: write `=> <{}>`, or change the steps before it",
                found.to_string().replace('x', ", ")
            );
            self.wrong(&claim.tokens, text);
            return;
        }
        if found.is_known() && claimed.is_known() {
            return;
        }
        let sound = self.sound(found);
        let [is, stated] = [found, &claimed].map(layers::sizes_expression);
        let check = quote!(::cnn_core::shape::check::claim(#name, #is, #sound, #stated));
        let found_is_known = found.is_known();
        self.settle().constant(ConstantType::Made, check, &claim.tokens);
        if !found_is_known {
            self.plan.maps[current.0].shape = claimed;
        }
        self.plan.maps[current.0].constants = self.plan.constants.len();
    }

    fn dims(&mut self, dims: &Dims, what: &str) -> Option<Shape> {
        let mut sizes = Vec::new();
        let names: &[&str] = if dims.sizes.len() == 3 { &["channels", "height", "width"] } else { &["features"] };
        for (index, size) in dims.sizes.iter().enumerate() {
            let side = names.get(index).unwrap_or(&"size");
            sizes.push(self.settle().number(size, &format!("{what}'s {side}"), 1)?);
        }
        let shape = match <[Size; 3]>::try_from(sizes) {
            Ok(sizes) => Shape::Chw(sizes),
            Err(sizes) => match <[Size; 1]>::try_from(sizes) {
                Ok([features]) => Shape::Flat(features),
                Err(sizes) => {
                    let text = format!(
                        "{what} has {} sizes\nhelp: three, `<channels, height, width>`, or one, `<features>`",
                        sizes.len()
                    );
                    self.errors.note(&dims.tokens, text);
                    return None;
                }
            },
        };
        if let Some(text) = too_large(&shape) {
            self.errors.note(&dims.tokens, format!("{what} {text}"));
            return None;
        }
        Some(shape)
    }
}

fn unraw(label: &Ident) -> String {
    label.unraw().to_string()
}

/// Why a shape is too large for memory.
fn too_large(shape: &Shape) -> Option<String> {
    if let Shape::Sizes(_) = shape {
        return None;
    }
    let values = shape.sizes().iter().filter_map(Size::known).map(u128::from).fold(1, u128::saturating_mul);
    (values > MOST_VALUES).then(|| format!("overflows: {shape} values are more than memory can have"))
}

/// Why a network whose layers each fit is too large for memory.
fn too_large_together(plan: &Plan) -> Option<String> {
    let maps = plan.maps.iter().filter_map(|map| map.shape.known_len()).map(u128::from).sum::<u128>();
    let parameters = plan.steps.iter().filter_map(|step| step.cost).map(|cost| cost.parameters).sum::<u128>();
    // A step may keep a map and its gradient.
    if maps > MOST_VALUES / 2 {
        return Some(format!("its maps overflow: {maps} values are more than memory can have"));
    }
    (parameters > MOST_VALUES)
        .then(|| format!("its parameters overflow: {parameters} values are more than memory can have"))
}

/// Why a layer is too large for memory.
fn overflow(site: &Site<'_>, row: &Row, output: &Shape) -> Option<String> {
    let name = site.name;
    if let Some(text) = too_large(output) {
        return Some(format!("{name}: the map that it makes {text}\nhelp: a smaller map"));
    }
    let cost = (row.cost)(site.arguments, site.input, output)?;
    if cost.parameters > MOST_VALUES {
        return Some(format!(
            "{name}: the number of its parameters overflows\nhelp: fewer channels or a smaller kernel"
        ));
    }
    if cost.multiply_adds > u128::from(u64::MAX) {
        return Some(format!("{name}: the number of its multiply-adds overflows\nhelp: a smaller map"));
    }
    None
}
