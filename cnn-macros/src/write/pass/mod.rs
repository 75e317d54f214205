//! The functions of a network's passes: what each step owns is cut out of what the network owns, and then come the calls.

mod calls;
mod predict;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote};

use crate::plan::again::Rebuild;
use crate::plan::cut::Cut;
use crate::plan::memory::{self, Memory, Place};
use crate::plan::place::{gradient_home, home};
use crate::plan::{INPUT, Kind, MapId, Plan, Run, Step, StepId};
use crate::plan::{custom_layer, frozen_type, step_type};
use crate::size::Size;
use crate::write::step::operation;

/// The code of a pass: where its maps lie, and calls.
pub(crate) struct Pass<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) memory: &'a Memory,
    pub(crate) of: Of<'a>,
    /// Where it can be cut in two, in order.
    cuts: &'a [Cut],
    /// What the call that is being written takes of the memory.
    taken: RefCell<BTreeMap<(u64, usize), Part>>,
    /// When that call is, as the memory counts.
    now: Cell<usize>,
}

/// A part of the memory: the name that a call has for it, the first value and how many there are, per sample.
struct Part {
    name: Ident,
    first: TokenStream,
    len: TokenStream,
}

/// What a pass is part of.
#[derive(Clone, Copy)]
pub(crate) enum Of<'a> {
    Training,
    Evaluation,
    /// With the steps whose types are others there.
    Prediction(&'a HashSet<StepId>),
}

impl<'a> Pass<'a> {
    pub(crate) fn new(plan: &'a Plan, memory: &'a Memory, of: Of<'a>, cuts: &'a [Cut]) -> Self {
        Self { plan, memory, of, cuts, taken: RefCell::default(), now: Cell::default() }
    }

    pub(crate) fn forward(&self) -> TokenStream {
        let name = format_ident!("{}", if let Of::Training = self.of { "forward_steps" } else { "evaluate" });
        let split = self.split_owned(false);
        let (owned, samples) = (used("owned", !split.is_empty()), self.samples());
        let segments = self.segments().map(|segment| {
            let first = segment.start;
            let calls: Vec<_> = segment.map(|index| self.forward_in_memory(index)).collect();
            match self.of {
                Of::Training => self.if_run(first, &quote!(#(#calls)*)),
                _ if first == 0 => quote!(#(#calls)*),
                _ => {
                    let first = Literal::usize_unsuffixed(first);
                    quote!(if pass.ends_before(#first) { return; } #(#calls)*)
                }
            }
        });
        let calls: Vec<_> = segments.collect();
        quote! {
            fn #name(
                pass: &mut __layer::Pass<'_>,
                #samples: usize,
                #owned: __layer::Owned<'_>,
                input: &[f32],
                output: &mut [f32],
            ) {
                #split
                #(#calls)*
            }
        }
    }

    pub(crate) fn backward(&self) -> TokenStream {
        let split = self.split_owned(true);
        let (owned, samples) = (used("owned", !split.is_empty()), self.samples());
        let split_grad_parameters = self.split_parameters(&quote!(grad_parameters), "q", &quote!(split));
        let grad_parameters = used("grad_parameters", split_grad_parameters.is_some());
        let segments = self.segments().collect::<Vec<_>>().into_iter().rev();
        let calls = segments.map(|segment| {
            let first = segment.start;
            let calls: TokenStream = segment.rev().map(|index| self.backward_in_memory(index)).collect();
            self.if_run(first, &calls)
        });
        let mutable = self.lends_grad_input().then(|| quote!(mut));
        quote! {
            fn backward_steps(
                pass: &mut __layer::Pass<'_>,
                #samples: usize,
                #owned: __layer::Owned<'_>,
                input: &[f32],
                output: &[f32],
                grad_output: &mut [f32],
                #mutable grad_input: __Option<__layer::GradInput<'_>>,
                #grad_parameters: &mut [f32],
            ) {
                #split
                #split_grad_parameters
                #(#calls)*
            }
        }
    }

    fn forward_in_memory(&self, index: StepId) -> TokenStream {
        self.with_memory(index, || {
            let step = &self.plan.steps[index];
            let call = self.forward_call(index, step);
            match self.of {
                Of::Evaluation if step.run != Run::View => {
                    let show = self.show(index, home(self.plan, step.output).stride, &self.read(step.output));
                    quote!(#call #show)
                }
                _ => call,
            }
        })
    }

    /// The way back of a step, and before it what that takes and is made again.
    fn backward_in_memory(&self, index: StepId) -> TokenStream {
        let now = memory::backwards(self.plan, index);
        let again: TokenStream = self.memory.again_before(now).map(|rebuild| self.again(now, rebuild)).collect();
        let call = self.with_memory(now, || {
            let step = &self.plan.steps[index];
            let call = self.backward_call(index, step);
            if step.run == Run::View || self.gradient_is_callers(step.output) {
                return call;
            }
            let gradient = self.gradient_by(step.output, &quote!(&));
            let show = self.show(index, gradient_home(self.plan, step.output).stride, &gradient);
            quote!(#show #call)
        });
        quote!(#again #call)
    }

    /// What lets somebody who looks on see a step's map, or its gradient.
    fn show(&self, index: StepId, stride: u64, values: &TokenStream) -> TokenStream {
        let (index, stride) = (Literal::usize_unsuffixed(index), Literal::u64_unsuffixed(stride));
        quote!(pass.show(#index, #stride, #values);)
    }

    /// A map that is made again, or, where a cut was behind it, is still there from before that.
    fn again(&self, now: usize, rebuild: &Rebuild) -> TokenStream {
        let calls: TokenStream = rebuild
            .steps
            .iter()
            .map(|index| self.with_memory(now, || self.again_call(*index, &self.plan.steps[*index])))
            .collect();
        let crosses = |cut: &Cut| cut.maps.contains(&rebuild.base) && now <= memory::backwards(self.plan, cut.step);
        if !self.cuts.iter().any(crosses) {
            return calls;
        }
        let base = Literal::usize_unsuffixed(rebuild.base.0);
        let is_fetched = self.with_memory(now, || {
            let to = self.write(rebuild.base);
            quote!(__network::fetch(pass, Self::CUTS, #base, samples, #to))
        });
        quote!(if !#is_fetched { #calls })
    }

    /// The steps between cuts.
    fn segments(&self) -> impl Iterator<Item = Range<StepId>> + '_ {
        let firsts = || self.cuts.iter().map(|cut| cut.step);
        core::iter::once(0).chain(firsts()).zip(firsts().chain([self.plan.steps.len()])).map(|(first, end)| first..end)
    }

    /// What is done from a cut on to the next, if that is part of the pass.
    fn if_run(&self, first: StepId, calls: &TokenStream) -> TokenStream {
        if self.cuts.is_empty() {
            return calls.clone();
        }
        let first = Literal::usize_unsuffixed(first);
        quote!(if pass.runs(#first) { #calls })
    }

    /// The maps of each cut: where they lie before it, in the memory of `evaluation`, and behind it.
    pub(crate) fn cuts(&self, evaluation: &Self) -> Option<TokenStream> {
        let cuts = self.cuts.iter().map(|Cut { step, maps }| {
            let step = Literal::usize_unsuffixed(*step);
            let maps = maps.iter().map(|map| {
                let places = [evaluation, self].map(|pass| pass.memory.place(*map));
                let [Place::Block(from), Place::Block(to)] = places else { unreachable!("it has memory") };
                let (base, from, to) = (Literal::usize_unsuffixed(map.0), evaluation.first(from), self.first(to));
                let len = self.len_of(*map);
                quote!([#base, #from, #to, #len])
            });
            quote!(__network::Cut { step: #step, maps: &[#(#maps),*] })
        });
        (!self.cuts.is_empty()).then(|| quote!(const CUTS: &'static [__network::Cut] = &[#(#cuts),*];))
    }

    fn len_of(&self, map: MapId) -> TokenStream {
        element(&self.plan.map(map).shape.len())
    }

    /// The first value of a block.
    fn first(&self, block: usize) -> TokenStream {
        let first = self.memory.blocks[block].first.map(|first| Literal::u64_unsuffixed(first).into_token_stream());
        first.unwrap_or_else(|| {
            let before = self.memory.behind().position(|other| other == block).unwrap_or(0);
            self.place_behind(before)
        })
    }

    /// Whether the gradient of the network's input is written more than once.
    pub(crate) fn lends_grad_input(&self) -> bool {
        let inputs = self.plan.steps.iter().filter(|step| step.runs()).flat_map(|step| &step.inputs);
        inputs.filter(|map| gradient_home(self.plan, **map).base == INPUT).count() > 1
    }

    /// Values per sample of all that lies in the memory.
    pub(crate) fn memory_len(&self) -> TokenStream {
        self.place_behind(self.memory.behind().count() + customs(self.plan).count())
    }

    /// The place behind so many blocks that the macro does not place: maps, then the workspaces of users' layers.
    fn place_behind(&self, count: usize) -> TokenStream {
        let placed = Literal::u64_unsuffixed(self.memory.placed);
        let maps = self.memory.behind().map(|block| element(&self.memory.blocks[block].len));
        let workspaces = customs(self.plan).map(|index| self.workspace_len(index));
        let sizes: Vec<_> = maps.chain(workspaces).take(count).collect();
        match sizes.is_empty() {
            true => quote!(#placed),
            false => quote!(__network::behind(#placed, &[#(#sizes),*])),
        }
    }

    /// A call with what it takes of the memory, cut out of it.
    pub(crate) fn with_memory(&self, now: usize, call: impl FnOnce() -> TokenStream) -> TokenStream {
        self.now.set(now);
        let call = call();
        let taken = self.taken.take();
        if taken.is_empty() {
            return call;
        }
        let names = taken.values().map(|part| &part.name);
        let parts = taken.values().map(|Part { first, len, .. }| quote!((#first, #len)));
        quote! {
            {
                let [#(#names),*] = __network::cut(workspace, samples, [#(#parts),*]);
                #call
            }
        }
    }

    /// The name of a block in the call that is being written.
    fn take_block(&self, block: usize) -> Ident {
        let name = format_ident!("m{block}");
        let of = &self.memory.blocks[block];
        assert!(of.lives(self.now.get()), "nothing lies there any more");
        let first = if of.first.is_some() { self.first(block) } else { constant(self.first(block)) };
        let len = match &of.len {
            Size::Known(len) => Literal::u64_unsuffixed(*len).into_token_stream(),
            Size::Const(len) => constant(len.clone()),
        };
        self.taken.borrow_mut().insert(self.memory.order(block), Part { name: name.clone(), first, len });
        name
    }

    /// The name of a users' layer's workspace in the call that is being written.
    fn take_workspace(&self, index: StepId) -> Ident {
        let name = format_ident!("w{index}");
        let before = customs(self.plan).position(|other| other == index).unwrap_or(0);
        let first = constant(self.place_behind(self.memory.behind().count() + before));
        let len = self.workspace_len(index);
        let order = (u64::MAX, self.memory.blocks.len() + before);
        self.taken.borrow_mut().insert(order, Part { name: name.clone(), first, len });
        name
    }

    /// What cuts all that the network owns into what its steps own.
    fn split_owned(&self, backward: bool) -> TokenStream {
        let parameters = self.split_parameters(&quote!(owned.parameters), "p", &quote!(split_ref));
        let (owners, savers): (Vec<_>, Vec<_>) = (state_owners(self.plan).collect(), owners(self.plan).collect());
        let names = |letter: &str, steps: &[StepId]| -> Vec<_> {
            steps.iter().map(|index| format_ident!("{letter}{index}")).collect()
        };
        let per_batch = (!owners.is_empty()).then(|| {
            let (state, counts) = (names("t", &owners), names("c", &owners));
            let steps = numbers(&owners);
            quote! {
                let [#(#state),*] =
                    __kernel::memory::buffer::split(owned.state, const { __network::states(Self::STEPS, #steps) });
                let [#(#counts),*] =
                    __kernel::memory::buffer::split(owned.counts, const { __network::counts(Self::STEPS, #steps) });
            }
        });
        // Behind what steps keep for themselves come gradients that are to be added to those of the steps that own the weights.
        let adders: Vec<_> = if backward { adders(self.plan).collect() } else { Vec::new() };
        let saved = (!savers.is_empty() || !adders.is_empty()).then(|| {
            let (saved, gradients) = (names("k", &savers), names("s", &adders));
            let (own, steps) = (Literal::usize_unsuffixed(savers.len()), numbers(savers.iter().chain(&adders)));
            quote! {
                let [#(#saved,)* #(#gradients),*] = __kernel::memory::buffer::split(
                    owned.saved, const { __network::kept(Self::STEPS, #own, #steps) },
                );
            }
        });
        let per_sample = self.workspace();
        quote!(#parameters #per_batch #saved #per_sample)
    }

    /// What cuts trainable values, or their gradient, into the steps'.
    fn split_parameters(&self, from: &TokenStream, letter: &str, split: &TokenStream) -> Option<TokenStream> {
        let owns = |(_, step): &(StepId, &Step)| step.has_parameters() && step.shares.is_none();
        let steps = || self.plan.steps.iter().enumerate().filter(owns);
        let parts = steps().map(|(index, _)| format_ident!("{letter}{index}"));
        let counts = steps().map(|(index, step)| match &step.cost {
            Some(cost) => Literal::u128_unsuffixed(cost.parameters).into_token_stream(),
            None => {
                let operation = operation(self.plan, index);
                quote!(const { #operation.parameter_count() })
            }
        });
        steps()
            .next()
            .is_some()
            .then(|| quote!(let [#(#parts),*] = __kernel::memory::buffer::#split(#from, [#(#counts),*]);))
    }

    /// Whether anything lies in the memory.
    fn has_memory(&self) -> bool {
        !self.memory.blocks.is_empty() || customs(self.plan).next().is_some()
    }

    /// What calls cut their parts out of.
    fn workspace(&self) -> Option<TokenStream> {
        self.has_memory().then(|| quote!(let workspace = owned.workspace;))
    }

    fn samples(&self) -> Ident {
        used("samples", self.has_memory())
    }

    pub(crate) fn parameters(&self, index: StepId, letter: &str, none: &TokenStream) -> TokenStream {
        if self.plan.steps[index].has_parameters() {
            format_ident!("{letter}{}", self.plan.owner(index)).into_token_stream()
        } else {
            none.clone()
        }
    }

    /// What a layer owns that has more than parameters.
    pub(crate) fn owned(&self, index: StepId) -> TokenStream {
        let parameters = self.parameters(index, "p", &quote!(&[]));
        let owner = self.plan.owner(index);
        let [state, counts] = ["t", "c"].map(|letter| format_ident!("{letter}{owner}"));
        let saved = format_ident!("k{index}");
        let workspace = if self.plan.steps[index].row().is_some() {
            quote!(&mut [])
        } else {
            self.take_workspace(index).into_token_stream()
        };
        quote!(__layer::Owned {
            parameters: #parameters, state: #state, counts: #counts, saved: #saved, workspace: #workspace,
        })
    }

    /// Values per sample of a user's layer's workspace.
    fn workspace_len(&self, index: StepId) -> TokenStream {
        let field = match self.of {
            Of::Training => "workspace",
            Of::Evaluation => "evaluation_workspace",
            Of::Prediction(_) => "prediction_workspace",
        };
        let (custom, field) = (custom_layer(index), format_ident!("{field}"));
        quote!(#custom.#field)
    }

    /// The type of a step in this pass.
    pub(crate) fn type_of(&self, index: StepId) -> Ident {
        match self.of {
            Of::Prediction(frozen) if frozen.contains(&index) => frozen_type(index),
            _ => step_type(index),
        }
    }

    /// Where a map's values are, to be read or written as `reference` says.
    fn values(&self, map: MapId, reference: &TokenStream) -> TokenStream {
        let home = home(self.plan, map);
        let place = match self.now.get() < self.plan.steps.len() {
            true => self.memory.place(home.base),
            false => self.memory.place_backwards(home.base),
        };
        match place {
            Place::Input => from(quote!(input), home.first, reference),
            Place::Output => from(quote!(output), home.first, reference),
            Place::Block(block) => self.part(block, home.first, reference),
        }
    }

    pub(crate) fn read(&self, map: MapId) -> TokenStream {
        self.values(map, &quote!(&))
    }

    pub(crate) fn write(&self, map: MapId) -> TokenStream {
        self.values(map, &quote!(&mut))
    }

    /// Where a map's gradient is, if it is not the network's input's.
    pub(crate) fn gradient(&self, map: MapId) -> TokenStream {
        self.gradient_by(map, &quote!(&mut))
    }

    fn gradient_by(&self, map: MapId, reference: &TokenStream) -> TokenStream {
        let home = gradient_home(self.plan, map);
        match self.memory.gradient_place(home.base) {
            Place::Input => quote!(grad_input),
            Place::Output => from(quote!(grad_output), home.first, reference),
            Place::Block(block) => self.part(block, home.first, reference),
        }
    }

    /// Whether a map's gradient is wanted only if the network's input's is.
    pub(crate) fn gradient_is_callers(&self, map: MapId) -> bool {
        gradient_home(self.plan, map).base == INPUT
    }

    /// A block from a value on.
    pub(crate) fn part(&self, block: usize, first: u64, reference: &TokenStream) -> TokenStream {
        let name = self.take_block(block);
        let first = (first > 0).then(|| Literal::u64_unsuffixed(first));
        quote!(#reference #name[#first..])
    }
}

/// An expression of constants, evaluated while the program compiles.
fn constant(expression: TokenStream) -> TokenStream {
    quote!(const { #expression })
}

/// The numbers of steps.
pub(crate) fn numbers<'a>(steps: impl IntoIterator<Item = &'a StepId>) -> TokenStream {
    let steps = steps.into_iter().copied().map(Literal::usize_unsuffixed);
    quote!([#(#steps),*])
}

/// A slice that is borrowed already, from a value on.
fn from(slice: TokenStream, first: u64, reference: &TokenStream) -> TokenStream {
    if first == 0 {
        return slice;
    }
    let first = Literal::u64_unsuffixed(first);
    quote!(#reference #slice[#first..])
}

/// A size in a list. Clippy takes a product there for two elements without a comma.
fn element(size: &Size) -> TokenStream {
    match size {
        Size::Known(_) => size.to_token_stream(),
        Size::Const(size) => quote!((#size)),
    }
}

/// The name of an argument, as rustc wants it where nothing uses it.
fn used(name: &str, used: bool) -> Ident {
    if used { format_ident!("{name}") } else { format_ident!("_{name}") }
}

/// Users' layers, and networks.
fn customs(plan: &Plan) -> impl Iterator<Item = StepId> + '_ {
    let is_custom = |(_, step): &(StepId, &Step)| matches!(step.kind, Kind::Custom(_));
    plan.steps.iter().enumerate().filter(is_custom).map(|(index, _)| index)
}

/// Steps whose gradients of their weights are added to those of other steps that use the same: as many as share them, as one
/// of all is the first.
pub(crate) fn adders(plan: &Plan) -> impl Iterator<Item = StepId> + '_ {
    let adds = |(_, step): &(StepId, &Step)| step.shares.is_some() && step.has_parameters();
    plan.steps.iter().enumerate().filter(adds).map(|(index, _)| index)
}

/// Steps that may have state of their own.
fn state_owners(plan: &Plan) -> impl Iterator<Item = StepId> + '_ {
    owners(plan).filter(|index| plan.steps[*index].shares.is_none())
}

/// Steps that may have state, or keep values of a batch.
fn owners(plan: &Plan) -> impl Iterator<Item = StepId> + '_ {
    plan.steps.iter().enumerate().filter(|(_, step)| step.owns()).map(|(index, _)| index)
}
