//! The functions of a network's passes: what each step owns is cut out of what the network owns, and then come the calls.

mod calls;
mod predict;

use std::collections::HashSet;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote};

use crate::plan::memory::{Place, Slots};
use crate::plan::place::{Home, gradient_home, home};
use crate::plan::{INPUT, Kind, MapId, Plan, Step, StepId};
use crate::plan::{custom_layer, frozen_type, step_type};
use crate::size::Size;
use crate::write::step::operation;

/// The code of a pass: which slots its maps have, and calls.
pub(crate) struct Pass<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) values: &'a Slots,
    pub(crate) gradients: &'a Slots,
    pub(crate) of: Of<'a>,
}

/// What a pass is part of.
#[derive(Clone, Copy)]
pub(crate) enum Of<'a> {
    Training,
    Evaluation,
    /// With the steps whose types are others there.
    Prediction(&'a HashSet<StepId>),
}

impl Pass<'_> {
    pub(crate) fn forward(&self) -> TokenStream {
        let name = format_ident!("{}", if let Of::Training = self.of { "forward_steps" } else { "evaluate" });
        let split = self.split_owned(false);
        let (owned, samples) = (used("owned", !split.is_empty()), self.samples(false));
        let calls = self.plan.steps.iter().enumerate().map(|(index, step)| self.forward_call(index, step));
        quote! {
            fn #name(
                pass: &mut ::cnn_core::layer::Pass<'_>,
                #samples: usize,
                #owned: ::cnn_core::layer::Owned<'_>,
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
        let (owned, samples) = (used("owned", !split.is_empty()), self.samples(true));
        let split_grad_parameters = self.split_parameters(&quote!(grad_parameters), "q", &quote!(split));
        let grad_parameters = used("grad_parameters", split_grad_parameters.is_some());
        let steps = self.plan.steps.iter().enumerate().rev();
        let calls = steps.map(|(index, step)| self.backward_call(index, step));
        let mutable = self.lends_grad_input().then(|| quote!(mut));
        quote! {
            fn backward_steps(
                pass: &mut ::cnn_core::layer::Pass<'_>,
                #samples: usize,
                #owned: ::cnn_core::layer::Owned<'_>,
                input: &[f32],
                output: &[f32],
                grad_output: &mut [f32],
                #mutable grad_input: ::core::option::Option<::cnn_core::layer::GradInput<'_>>,
                #grad_parameters: &mut [f32],
            ) {
                #split
                #split_grad_parameters
                #(#calls)*
            }
        }
    }

    /// Whether the gradient of the network's input is written more than once.
    pub(crate) fn lends_grad_input(&self) -> bool {
        let inputs = self.plan.steps.iter().filter(|step| step.runs()).flat_map(|step| &step.inputs);
        inputs.filter(|map| gradient_home(self.plan, **map).base == INPUT).count() > 1
    }

    /// Values per sample of all maps in this pass.
    pub(crate) fn values_len(&self) -> TokenStream {
        let workspaces = customs(self.plan).map(|index| self.workspace_len(index));
        sum(self.values.sizes.iter().map(element).chain(workspaces))
    }

    /// Values per sample of all gradients of maps.
    pub(crate) fn gradients_len(&self) -> TokenStream {
        sum(self.gradients.sizes.iter().map(element))
    }

    /// What cuts all that the network owns into what its steps own.
    fn split_owned(&self, backward: bool) -> TokenStream {
        let parameters = self.split_parameters(&quote!(owned.parameters), "p", &quote!(split_ref));
        let owners: Vec<_> = owners(self.plan).collect();
        let per_batch = (!owners.is_empty()).then(|| {
            let operations: Vec<_> = owners.iter().map(|index| operation(self.plan, *index)).collect();
            let names =
                |letter: &str| -> Vec<_> { owners.iter().map(|index| format_ident!("{letter}{index}")).collect() };
            let [state, counts, saved] = ["t", "c", "k"].map(names);
            quote! {
                let [#(#state),*] = ::cnn_core::kernel::memory::buffer::split(
                    owned.state,
                    [#(const { #operations.state_count() }),*],
                );
                let [#(#counts),*] = ::cnn_core::kernel::memory::buffer::split(
                    owned.counts,
                    [#(const { #operations.counts() }),*],
                );
                let [#(#saved),*] = ::cnn_core::kernel::memory::buffer::split(
                    owned.saved,
                    [#(const { #operations.saved() }),*],
                );
            }
        });
        let per_sample = self.split_workspace(backward);
        quote!(#parameters #per_batch #per_sample)
    }

    /// What cuts trainable values, or their gradient, into the steps'.
    fn split_parameters(&self, from: &TokenStream, letter: &str, split: &TokenStream) -> Option<TokenStream> {
        let steps = || self.plan.steps.iter().enumerate().filter(|(_, step)| step.has_parameters());
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
            .then(|| quote!(let [#(#parts),*] = ::cnn_core::kernel::memory::buffer::#split(#from, [#(#counts),*]);))
    }

    /// Maps, the workspaces of users' layers, and backwards the gradients of maps.
    fn split_workspace(&self, backward: bool) -> Option<TokenStream> {
        let names = |letter: &str, slots: &Slots| -> Vec<Ident> {
            (0..slots.sizes.len()).map(|slot| format_ident!("{letter}{slot}")).collect()
        };
        let mut slots = names("v", self.values);
        let mut sizes: Vec<_> = self.values.sizes.iter().map(Size::to_token_stream).collect();
        slots.extend(customs(self.plan).map(|index| format_ident!("w{index}")));
        sizes.extend(customs(self.plan).map(|index| self.workspace_len(index)));
        if backward {
            slots.extend(names("g", self.gradients));
            sizes.extend(self.gradients.sizes.iter().map(Size::to_token_stream));
        }
        (!slots.is_empty()).then(|| {
            quote! {
                let [#(#slots),*] = ::cnn_core::kernel::memory::buffer::split(
                    owned.workspace,
                    [#((samples * ::cnn_core::network::aligned(#sizes))),*],
                );
            }
        })
    }

    fn samples(&self, backward: bool) -> Ident {
        let slots = self.values.sizes.len() + if backward { self.gradients.sizes.len() } else { 0 };
        used("samples", slots > 0 || customs(self.plan).next().is_some())
    }

    pub(crate) fn parameters(&self, index: StepId, letter: &str, none: &TokenStream) -> TokenStream {
        if self.plan.steps[index].has_parameters() {
            format_ident!("{letter}{index}").into_token_stream()
        } else {
            none.clone()
        }
    }

    /// What a layer owns that has more than parameters.
    pub(crate) fn owned(&self, index: StepId) -> TokenStream {
        let parameters = self.parameters(index, "p", &quote!(&[]));
        let [state, counts, saved, workspace] = ["t", "c", "k", "w"].map(|letter| format_ident!("{letter}{index}"));
        let workspace = if self.plan.steps[index].row().is_some() {
            quote!(&mut [])
        } else {
            let len = self.workspace_len(index);
            quote!(&mut #workspace[..samples * #len])
        };
        quote!(::cnn_core::layer::Owned {
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
        match self.values.place(home.base) {
            Place::Input => from(quote!(input), home.first, reference),
            Place::Output => from(quote!(output), home.first, reference),
            Place::Slot(slot) => {
                let slice = self.slice("v", slot, home);
                quote!(#reference #slice)
            }
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
        let home = gradient_home(self.plan, map);
        match self.gradients.place(home.base) {
            Place::Input => quote!(grad_input),
            Place::Output => from(quote!(grad_output), home.first, &quote!(&mut)),
            Place::Slot(slot) => {
                let slice = self.slice("g", slot, home);
                quote!(&mut #slice)
            }
        }
    }

    /// Whether a map's gradient is wanted only if the network's input's is.
    pub(crate) fn gradient_is_callers(&self, map: MapId) -> bool {
        gradient_home(self.plan, map).base == INPUT
    }

    pub(crate) fn slice(&self, letter: &str, slot: usize, home: Home) -> TokenStream {
        let slot = format_ident!("{letter}{slot}");
        let first = (home.first > 0).then(|| Literal::u64_unsuffixed(home.first));
        match self.plan.map(home.base).shape.len() {
            Size::Known(len) => {
                let len = Literal::u64_unsuffixed(len);
                quote!(#slot[#first..samples * #len])
            }
            Size::Const(len) => quote!(#slot[#first..samples * const { #len }]),
        }
    }
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

fn sum(sizes: impl Iterator<Item = TokenStream>) -> TokenStream {
    let sizes: Vec<_> = sizes.collect();
    if sizes.is_empty() { quote!(0) } else { quote!(::cnn_core::network::together(&[#(#sizes),*])) }
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

/// Steps that may have state, or keep values of a batch.
fn owners(plan: &Plan) -> impl Iterator<Item = StepId> + '_ {
    plan.steps.iter().enumerate().filter(|(_, step)| step.owns()).map(|(index, _)| index)
}
