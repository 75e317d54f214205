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
use crate::blocks::{self, Blocks, Teller};
use crate::constant::{self, Meaning, Scope};
use crate::error::{Errors, nearest};
use crate::join::{self, Branch};
use crate::layers::{self, Arguments, CheckedSizes, Cost, Outcome, Row, Site};
use crate::plan::{
    Constant, ConstantType, INPUT, Join, JoinKind, Kind, Map, MapId, Plan, Run, Shape, Size, Step, custom_layer,
};

/// f32 values that a map or the weights of a layer may have: memory has `isize::MAX` bytes.
const MOST_VALUES: u128 = isize::MAX as u128 / 4;

/// So many steps are a slip of `repeat`, not a network.
const MOST_STEPS: usize = 5_000;

/// So many uses of blocks in a network are a slip too, whatever is in them.
const MOST_USES: usize = 20_000;

/// Settles a network. Where mistakes were noted the plan ends early or has gaps: good for nothing but its input.
pub(crate) fn plan(network: &ast::Network, blocks: &mut Blocks<'_>, errors: &mut Errors) -> Plan {
    let plan = Plan { constants: Vec::new(), maps: Vec::new(), steps: Vec::new(), output: INPUT, told_by: None };
    let mut walk = Walk {
        plan,
        network: &network.name,
        blocks,
        errors,
        current: None,
        paths: HashSet::new(),
        parameters: Vec::new(),
        uses: 0,
    };
    let shape = walk.dims(&network.input, &format!("{}: the input", network.name));
    walk.current = shape.map(|shape| walk.add_map(Map::new(shape)));
    walk.sequence(&network.body, &Names::default(), 0);
    let sound = walk.errors.count() == 0 && walk.plan.told_by.is_none();
    if walk.plan.steps.is_empty() && sound {
        walk.errors.note(&network.name, format!("{}: a network needs at least one step", network.name));
    }
    if sound && let Some(text) = too_large_together(&walk.plan) {
        walk.errors.note(&network.name, format!("{}: {text}", network.name));
    }
    walk.plan.output = walk.current.unwrap_or(INPUT);
    walk.plan
}

struct Walk<'a, 'b> {
    plan: Plan,
    network: &'a Ident,
    blocks: &'a mut Blocks<'b>,
    errors: &'a mut Errors,
    /// The map that the next step gets; unknown after a mistake.
    current: Option<MapId>,
    /// Names of steps that have values of their own.
    paths: HashSet<String>,
    /// Of the block that the walk is in: what its parameters stand for.
    parameters: Vec<(String, Meaning)>,
    /// How many uses of blocks there were.
    uses: usize,
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

impl Walk<'_, '_> {
    /// Walks steps that are named in `names`, counted from `first`; returns the count behind the last.
    fn sequence(&mut self, body: &Body, names: &Names, first: usize) -> usize {
        self.distinct_labels(body);
        let mut index = first;
        for step in &body.steps {
            index = self.step(step, names, index);
        }
        index
    }

    fn distinct_labels(&mut self, body: &Body) {
        let mut labels: Vec<&Ident> = Vec::new();
        for label in body.steps.iter().filter_map(|step| step.label.as_ref()) {
            if labels.contains(&label) {
                let text = format!("the label `{label}` is given twice\nhelp: weights go by it: choose another");
                self.errors.note(label, text);
            }
            labels.push(label);
        }
    }

    fn step(&mut self, step: &ast::Step, names: &Names, index: usize) -> usize {
        let own = step.label.as_ref().map_or_else(|| index.to_string(), unraw);
        let inner = names.with(&own);
        self.layer(step, names, &inner, &inner, index)
    }

    /// A step of a join: one without a label lends its names to the sequence that the join stands in.
    fn branch(&mut self, step: &ast::Step, names: &Names, index: usize) {
        let own = step.label.as_ref().map_or_else(|| index.to_string(), unraw);
        let inner = names.with(&own);
        let body = if step.label.is_some() { &inner } else { names };
        self.layer(step, names, &inner, body, 0);
    }

    /// A step in `names`, itself named `own`, with the names of what is in it in `body`, counted from `index` where it
    /// writes steps into the sequence around it. Returns the count behind it.
    fn layer(&mut self, step: &ast::Step, names: &Names, own: &Names, body: &Names, index: usize) -> usize {
        let called = |layer: &str| match step.label {
            Some(_) => own.path(),
            None => format!("{} ({layer})", own.path()),
        };
        let mut next = index + 1;
        let name = match &step.layer {
            Layer::Call(call) => {
                let name = called(&call.name.to_string());
                match self.blocks.find(&call.name) {
                    Some((index, block)) => self.block(index, block, call, &name, body),
                    None => self.call(call, &name, own),
                }
                name
            }
            Layer::Sequence(steps) => {
                self.sequence(steps, body, 0);
                called("sequence")
            }
            Layer::Repeat { count, body: steps } => {
                let (names, first) = if step.label.is_some() { (own, 0) } else { (names, index) };
                let last = self.repeat(count, steps, names, first);
                next = if step.label.is_some() { next } else { last };
                called("repeat")
            }
            Layer::Type(path) => {
                let name = called(&path.to_token_stream().to_string().replace(' ', ""));
                self.custom(path, own);
                name
            }
            Layer::Join { kind, branches } => {
                let name = called(&kind.to_string());
                let lent = if step.label.is_some() { own } else { names };
                self.join(kind, branches, &name, own, lent);
                name
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

    /// A use of a block: its steps where it stands, with its parameters' meaning.
    fn block(&mut self, index: usize, block: &Block, call: &Call, name: &str, names: &Names) {
        if !block.errors.is_empty() {
            match self.blocks.tell(index, self.network) {
                Teller::Now => block.errors.iter().for_each(|error| self.errors.push(error.clone())),
                Teller::Before(network) => self.plan.told_by = Some(network),
            }
            self.current = None;
            return;
        }
        let Some(parameters) = self.block_arguments(block, call, name) else {
            self.current = None;
            return;
        };
        self.uses += 1;
        if self.uses > MOST_USES {
            if self.uses == MOST_USES + 1 {
                self.errors.note(&call.name, format!("{name}: more than {MOST_USES} uses of blocks\nhelp: fewer"));
            }
            self.current = None;
            return;
        }
        let text = |(_, meaning): &(String, Meaning)| match meaning {
            Meaning::Size(Size::Known(number)) => number.to_string(),
            Meaning::Size(Size::Const(_)) => "..".to_owned(),
            Meaning::Other(other) => other.to_token_stream().to_string().replace(' ', ""),
            Meaning::Nothing(_) | Meaning::Unknown => "?".to_owned(),
        };
        let arguments: Vec<_> = parameters.iter().map(text).collect();
        let arguments = if arguments.is_empty() { String::new() } else { format!("<{}>", arguments.join(", ")) };
        let path = if names.0.is_empty() { self.network.to_string() } else { names.path() };
        let before = self.errors.count();
        self.errors.enter(format!("{path} <- {}{arguments}", block.name));
        let outer = std::mem::replace(&mut self.parameters, parameters);
        self.sequence(&block.body, names, 0);
        self.parameters = outer;
        self.errors.leave();
        if self.errors.count() > before
            && let Teller::Before(network) = self.blocks.tell(index, self.network)
        {
            self.errors.truncate(before);
            self.plan.told_by = Some(network);
        }
    }

    /// What a block's parameters stand for in one use of it.
    fn block_arguments(&mut self, block: &Block, call: &Call, name: &str) -> Option<Vec<(String, Meaning)>> {
        let wanted: Vec<_> = block.parameters.iter().map(Ident::to_string).collect();
        let form = if wanted.is_empty() {
            format!("`{}`", block.name)
        } else {
            format!("`{}<{}>`", block.name, wanted.join(", "))
        };
        let (found, takes) = (call.sizes.len(), wanted.len());
        if found != takes {
            let parameters = |count: usize| match count {
                0 => "no parameters".to_owned(),
                1 => "one parameter".to_owned(),
                count => format!("{count} parameters"),
            };
            let takes_text = format!("{name}: the block `{}` takes {}", block.name, parameters(takes));
            match call.sizes.get(takes) {
                Some(size) => self.errors.note(size, format!("{takes_text}, not {found}\nhelp: {form}")),
                None => {
                    self.errors
                        .note(&call.name, format!("{takes_text}, and `{}` is missing\nhelp: {form}", wanted[found]));
                }
            }
            return None;
        }
        if let Some(option) = call.options.first() {
            let text =
                format!("{name}: a block has no options\nhelp: its parameters go between angle brackets: {form}");
            self.errors.note(&option.name, text);
            return None;
        }
        if call.broken {
            return None;
        }
        let scope = self.scope();
        let mut meanings = Vec::new();
        for (parameter, size) in wanted.into_iter().zip(&call.sizes) {
            match scope.settle(size) {
                Ok(meaning) => meanings.push((parameter, meaning)),
                Err(mistake) => {
                    self.errors.note(mistake.tokens, format!("{name}: {parameter}: {}", mistake.text));
                    return None;
                }
            }
        }
        Some(meanings)
    }

    fn join(&mut self, kind: &Ident, branches: &Body, name: &str, own: &Names, names: &Names) {
        if branches.steps.is_empty() {
            let text = format!(
                "{name}: `{kind}` has no branches\nhelp: `{kind} {{ [ .. ], [ .. ] }}`; `[]` is the map as it is"
            );
            self.wrong(kind, text);
            return;
        }
        self.distinct_labels(branches);
        let input = self.current;
        let mut made = Vec::new();
        for (index, branch) in branches.steps.iter().enumerate() {
            self.current = input;
            self.branch(branch, names, index);
            let label = branch.label.clone();
            made.extend(self.current.map(|map| Branch { map, label }));
        }
        self.current = None;
        let Some(input) = input.filter(|_| made.len() == branches.steps.len()) else { return };
        let join = JoinKind::of(&kind.to_string());
        // A product has two factors; more are products of products.
        let parts = if join == JoinKind::Multiply { made.len() } else { 2 };
        let whole = self.joined(join, kind, name, input, &made);
        if made.len() == 1 || whole.is_none() {
            self.current = whole.map(|_| made[0].map);
            return;
        }
        let mut first = made[0].map;
        for count in 2..=parts {
            let last = count == parts;
            let branches: Vec<_> = if join == JoinKind::Multiply {
                let label = None;
                vec![Branch { map: first, label }, Branch { map: made[count - 1].map, label: None }]
            } else {
                std::mem::take(&mut made)
            };
            let shape = if last { whole.clone() } else { self.joined(join, kind, name, input, &branches) };
            let Some(shape) = shape else { return };
            let kind_of = Kind::Join(Join { kind: join });
            let inputs = branches.iter().map(|branch| branch.map).collect();
            self.add_step(kind_of, kind.span(), Some(Cost::default()), own, inputs, Map::new(shape));
            first = self.current.unwrap_or(first);
        }
    }

    /// The map that branches make together.
    fn joined(&mut self, join: JoinKind, kind: &Ident, name: &str, input: MapId, branches: &[Branch]) -> Option<Shape> {
        let sound = self.plan.constants.iter().rev().find(|constant| constant.of == ConstantType::Made);
        let sound = sound.map_or_else(|| quote!(true), |Constant { name, .. }| quote!(#name.sound));
        let site = join::Site { plan: &self.plan, kind: join, name, input, branches };
        let outcome = site.outcome(&sound);
        let shape = match outcome {
            Ok(outcome) => self.made(outcome, kind),
            Err(text) => {
                self.wrong(kind, text);
                return None;
            }
        };
        if let Some(text) = too_large(&shape) {
            self.wrong(kind, format!("{name}: the map that it makes {text}\nhelp: a smaller map"));
            return None;
        }
        Some(shape)
    }

    /// The shape that a rule found; what only rustc knows becomes a constant.
    fn made(&mut self, outcome: Outcome, at: &Ident) -> Shape {
        let (sizes, check) = match outcome {
            Outcome::Known(shape) => return shape,
            Outcome::Checked { sizes, check } => (sizes, check),
        };
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
        let names = blocks::SIZES;
        let meaning = |index: usize| match self.current.map(|id| &self.plan.map(id).shape) {
            None => Meaning::Unknown,
            Some(Shape::Flat(size)) => Meaning::Nothing(format!(
                "`{}` of {} flat features\nhelp: only maps before `flatten` have channels, height and width",
                names[index],
                size.known().map_or("?".to_owned(), |size| size.to_string())
            )),
            Some(shape) => Meaning::Size(shape.sizes()[index].clone()),
        };
        let sizes = names.iter().enumerate().map(|(index, name)| ((*name).to_owned(), meaning(index)));
        Scope { names: sizes.chain(self.parameters.iter().cloned()).collect() }
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
        let row = row.instead.and_then(|instead| instead(&arguments)).unwrap_or(row);
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
        let shape = self.made(outcome, &call.name);
        if let Some(text) = overflow(name, &arguments, row, &input_map.shape, &shape) {
            self.wrong(&call.name, text);
            return;
        }
        let cost = (row.cost)(&arguments, &input_map.shape, &shape);
        let probabilities = row.name == "softmax";
        let span = call.name.span();
        let output = Map { probabilities, ..Map::new(shape) };
        self.add_step(Kind::Layer { row, arguments }, span, cost, names, vec![input], output);
    }

    fn unknown_layer(&mut self, call: &Call) {
        let name = call.name.to_string();
        let known = layers::ROWS.iter().map(|row| row.name);
        let blocks: Vec<_> = self.blocks.names().collect();
        let what = if blocks.is_empty() { "layer" } else { "layer or block" };
        let words = blocks.iter().map(String::as_str).chain(["repeat", "add", "multiply", "concat"]);
        let text = if let Some(meant) = nearest(&name, known.clone().chain(words)) {
            format!("there is no {what} `{name}`\nhelp: did you mean `{meant}`?")
        } else {
            let known: Vec<_> = known.collect();
            format!(
                "there is no {what} `{name}`\nhelp: the layers are {}; a type of your own starts with a capital letter",
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
        self.add_step(Kind::Custom(path.clone()), path.span(), None, names, vec![input], output);
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
        let new = Step { path, span, kind, cost, inputs, output, run: Run::Apart, into: None, adds: Vec::new() };
        // In one sequence the label was reported; branches and `repeat` write their steps into the sequence around them.
        if new.has_tensors() && !self.paths.insert(new.path.clone()) && self.errors.count() == 0 {
            let text = format!(
                "`{}` is the name of two steps with weights\nhelp: weights go by it: give one of them a label, \
                 or another one",
                new.path
            );
            self.errors.push(syn::Error::new(span, text));
        }
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
fn overflow(name: &str, arguments: &Arguments, row: &Row, input: &Shape, output: &Shape) -> Option<String> {
    if let Some(text) = too_large(output) {
        return Some(format!("{name}: the map that it makes {text}\nhelp: a smaller map"));
    }
    let cost = (row.cost)(arguments, input, output)?;
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
