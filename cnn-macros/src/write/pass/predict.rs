//! The functions of a predictor: what is made of the weights once, and the calls that read it.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use crate::layers::Folds;
use crate::plan::{Fold, JoinKind, Kind, Plan, Run, Step, StepId};
use crate::plan::{custom_layer, step_type};
use crate::write::names::names;
use crate::write::pass::{Pass, customs, numbers, state_owners, used};
use crate::write::step::matmul;

impl Pass<'_> {
    /// What the predictor has of each step that has something.
    pub(crate) fn prepared(&self) -> Vec<TokenStream> {
        let steps = self.plan.steps.iter().enumerate().filter(|(_, step)| step.run != Run::View);
        steps.filter_map(|(index, step)| self.prepared_of(index, step)).collect()
    }

    fn prepared_of(&self, index: StepId, step: &Step) -> Option<TokenStream> {
        let name = self.type_of(index);
        match &step.kind {
            Kind::Layer { row, .. } => {
                let (module, _) = names(row);
                if let Some(pool) = step.pooled_by {
                    let pool = self.type_of(pool);
                    Some(quote!(__layer::pooled::prepared::<#name, #pool>()))
                } else if step.has_tensors() {
                    Some(quote!(__layer::#module::prepared::<#name>()))
                } else {
                    row.scratch.then(|| {
                        let needs = quote!(__layer::#module::needs::<#name>());
                        quote!(__network::Prepared::working_in(#needs))
                    })
                }
            }
            Kind::Custom(_) => {
                let custom = custom_layer(index);
                Some(quote!(#custom.prepared))
            }
            Kind::Join(join) if join.kind == JoinKind::Matmul => {
                let geometry = matmul(self.plan, step);
                Some(quote!(__network::Prepared::working_in(#geometry.needs())))
            }
            Kind::Join(_) | Kind::Map(_) | Kind::Take { .. } => None,
        }
    }

    pub(crate) fn prepare(&self) -> TokenStream {
        let frozen = self.split_prepared(&quote!(prepared), &quote!(split));
        let parameters = self.split_parameters(&quote!(parameters), "p", &quote!(split_ref));
        let owners: Vec<_> = state_owners(self.plan).collect();
        let state = (!owners.is_empty()).then(|| {
            let state = owners.iter().map(|index| format_ident!("t{index}"));
            let steps = numbers(&owners);
            quote! {
                let [#(#state),*] =
                    __kernel::memory::buffer::split_ref(state, const { __network::states(Self::STEPS, #steps) });
            }
        });
        let packs = keepers(self.plan)
            .any(|index| self.plan.steps[index].takes_folds() || customs(self.plan).any(|custom| custom == index));
        let [made_for, of_parameters, of_state, prepared] = [
            used("made_for", packs),
            used("parameters", parameters.is_some()),
            used("state", state.is_some()),
            used("prepared", frozen.is_some()),
        ];
        let calls = keepers(self.plan).map(|index| self.prepare_call(index));
        quote! {
            fn prepare_steps(
                #made_for: __network::MadeFor,
                #of_parameters: &[f32],
                #of_state: &[f32],
                #prepared: &mut [f32],
            ) {
                #parameters
                #state
                #frozen
                #(#calls)*
            }
        }
    }

    fn prepare_call(&self, index: StepId) -> TokenStream {
        let (step, name) = (&self.plan.steps[index], self.type_of(index));
        let (parameters, frozen) = (self.parameters(index, "p", &quote!(&[])), format_ident!("f{index}"));
        let state = self.state(index);
        let Some(row) = step.row() else {
            let custom = custom_layer(index);
            return quote!((#custom.prepare)(made_for, #parameters, #state, #frozen););
        };
        let (module, _) = names(row);
        if step.takes_folds() {
            let folds = step.folds.iter().map(|fold| self.fold(*fold));
            let module = if step.pooled_by.is_some() { format_ident!("pooled") } else { module };
            quote!(__layer::#module::prepare::<#name>(made_for, #parameters, &[#(#folds),*], #frozen);)
        } else {
            quote!(__layer::#module::prepare::<#name>(#parameters, #state, #frozen);)
        }
    }

    fn state(&self, index: StepId) -> TokenStream {
        let state = format_ident!("t{}", self.plan.owner(index));
        if self.plan.steps[index].owns() { quote!(#state) } else { quote!(&[]) }
    }

    fn fold(&self, Fold { step, first, shifts }: Fold) -> TokenStream {
        let (name, first, state) = (step_type(step), Literal::u64_unsuffixed(first), self.state(step));
        let parameters = self.parameters(step, "p", &quote!(&[]));
        let module = self.plan.steps[step].row().map(|row| names(row).0);
        quote!(__layer::#module::fold::<#name>(#parameters, #state, #first, #shifts))
    }

    pub(crate) fn predict(&self) -> TokenStream {
        let frozen = self.split_prepared(&quote!(owned.parameters), &quote!(split_ref));
        let savers: Vec<_> = savers(self.plan).collect();
        let saved = (!savers.is_empty()).then(|| {
            let parts = savers.iter().map(|index| format_ident!("k{index}"));
            let prepared = savers.iter().map(|index| self.prepared_of(*index, &self.plan.steps[*index]));
            quote! {
                let [#(#parts),*] =
                    __kernel::memory::buffer::split(owned.saved, [#(const { #prepared.saved }),*]);
            }
        });
        let counts = customs(self.plan).next().map(|_| {
            let is_custom = |index: StepId| self.plan.steps[index].row().is_none();
            let parts = state_owners(self.plan).map(|index| {
                let name = format_ident!("c{index}");
                if is_custom(index) { quote!(#name) } else { quote!(_) }
            });
            let steps = numbers(&state_owners(self.plan).collect::<Vec<_>>());
            quote! {
                let [#(#parts),*] =
                    __kernel::memory::buffer::split(owned.counts, const { __network::counts(Self::STEPS, #steps) });
            }
        });
        let workspace = self.workspace();
        let owned = used("owned", frozen.is_some() || saved.is_some() || workspace.is_some());
        let samples = self.samples();
        let steps = self.plan.steps.iter().enumerate();
        let calls = steps.map(|(index, step)| self.with_memory(index, || self.predict_call(index, step)));
        quote! {
            fn predict_steps(
                pass: &mut __layer::Pass<'_>,
                #samples: usize,
                #owned: __layer::Owned<'_>,
                input: &[f32],
                output: &mut [f32],
            ) {
                #frozen
                #saved
                #counts
                #workspace
                #(#calls)*
            }
        }
    }

    fn predict_call(&self, index: StepId, step: &Step) -> TokenStream {
        if step.pooled_by.is_some() {
            return TokenStream::new();
        }
        if let Some(convolution) = self.plan.pools(index) {
            let types = [convolution, index].map(|index| self.type_of(index));
            let (at, frozen) = (Literal::usize_unsuffixed(index), format_ident!("f{convolution}"));
            let (input, output) = (self.read(self.plan.steps[convolution].input()), self.write(step.output));
            return quote! {
                __layer::pooled::predict::<#(#types),*>(pass.at(#at), #frozen, #input, #output);
            };
        }
        if step.run == Run::View || !step.has_tensors() {
            return self.forward_call(index, step);
        }
        let (name, at) = (self.type_of(index), Literal::usize_unsuffixed(index));
        let frozen = format_ident!("f{index}");
        let saved = format_ident!("k{index}");
        let Some(row) = step.row() else {
            let (custom, counts, workspace) =
                (custom_layer(index), format_ident!("c{}", self.plan.owner(index)), self.take_workspace(index));
            let (input, output) = (self.read(step.input()), self.write(step.output));
            return quote! {
                (#custom.predict)(
                    pass.at(#at),
                    __layer::Owned {
                        parameters: #frozen, state: &mut [], counts: #counts, saved: #saved, workspace: #workspace,
                    },
                    #input,
                    #output,
                );
            };
        };
        let (module, _) = names(row);
        if step.run == Run::InPlace {
            let output = self.write(step.output);
            return quote!(__layer::#module::predict_in_place::<#name>(pass.at(#at), #frozen, #output););
        }
        let (input, output) = (self.read(step.input()), self.write(step.output));
        let function = format_ident!("{}", if step.adds_to.is_some() { "predict_add" } else { "predict" });
        let saved = step.owns().then(|| if saves(step) { quote!(#saved,) } else { quote!(&mut [],) });
        quote!(__layer::#module::#function::<#name>(pass.at(#at), #frozen, #saved #input, #output);)
    }

    /// What cuts the prepared values into the steps'.
    fn split_prepared(&self, from: &TokenStream, split: &TokenStream) -> Option<TokenStream> {
        let parts: Vec<_> = keepers(self.plan).map(|index| format_ident!("f{index}")).collect();
        let prepared = keepers(self.plan).map(|index| self.prepared_of(index, &self.plan.steps[index]));
        (!parts.is_empty()).then(|| {
            quote! {
                let [#(#parts),*] =
                    __kernel::memory::buffer::#split(#from, [#(const { #prepared.values }),*]);
            }
        })
    }
}

impl Step {
    /// Whether normalizations may be part of its weights.
    fn takes_folds(&self) -> bool {
        self.row().is_some_and(|row| matches!(row.folds, Folds::Behind))
    }
}

/// Steps of which something is prepared.
fn keepers(plan: &Plan) -> impl Iterator<Item = StepId> + '_ {
    let keeps = |(_, step): &(StepId, &Step)| step.has_tensors() && step.run != Run::View && step.join().is_none();
    plan.steps.iter().enumerate().filter(keeps).map(|(index, _)| index)
}

/// Whether a step works in memory for each batch.
fn saves(step: &Step) -> bool {
    match &step.kind {
        Kind::Layer { row, arguments } => matches!(row.folds, Folds::Is(has_statistics) if !has_statistics(arguments)),
        Kind::Custom(_) => true,
        Kind::Join(_) | Kind::Map(_) | Kind::Take { .. } => false,
    }
}

fn savers(plan: &Plan) -> impl Iterator<Item = StepId> + '_ {
    plan.steps.iter().enumerate().filter(|(_, step)| saves(step)).map(|(index, _)| index)
}
