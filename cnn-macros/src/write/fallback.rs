//! A wrong network is still a type, so that one mistake stays one error however often the network is used.

use proc_macro2::TokenStream;
use quote::quote;

use super::declaration::{cfg, declaration, derived};
use super::names::{Subject, map_type, modules};
use super::views::{self, Views};
use super::{inputs, loss};
use crate::parse::ast;
use crate::plan::{AtSize, MapId, Plan};
use crate::size::sizes_expression;

/// The type, with empty implementations. Its output is a size that does not evaluate: rustc says nothing of whatever
/// depends on such a constant but the constant's own error, which is ours.
pub(crate) fn network(
    network: &ast::Network,
    family: Option<&[AtSize]>,
    plan: &Plan,
    found: &[syn::Error],
) -> TokenStream {
    let (name, subject) = (&network.name, Subject::of(network));
    let (ty, generics, bound) = (&subject.ty, subject.generics(), subject.bound());
    let text = name.to_string();
    let declared = declaration(&subject, &[" This network is wrong.".to_owned()]);
    let cfg = cfg(&network.attributes);
    let errors = found.iter().map(syn::Error::to_compile_error);
    // What is told elsewhere is wrong there.
    let bad = match &plan.told_by {
        Some(other) if other != name && subject.sizes.is_empty() => {
            quote!(<#other as ::cnn_core::network::Network>::Output)
        }
        _ => quote!(::cnn_core::shape::Flat<{ __BAD }>),
    };
    let is_known = |map: MapId| plan.map(map).shape.is_known();
    let sizes = plan.inputs.iter().map(|input| sizes_expression(&plan.map(input.map).shape));
    let (input, inputs_of) = match plan.maps.first() {
        // It is another at each size.
        _ if !subject.sizes.is_empty() => (bad.clone(), TokenStream::new()),
        Some(_) if network.inputs.len() > 1 && plan.inputs.iter().all(|input| is_known(input.map)) => (
            quote!(::cnn_core::network::Inputs<#name>),
            quote!(const INPUTS: &'static [::cnn_core::shape::Sizes] = &[#(#sizes),*];),
        ),
        Some(map) if network.inputs.len() == 1 && map.shape.is_known() => (map_type(plan, map), TokenStream::new()),
        _ => (bad.clone(), TokenStream::new()),
    };
    let derived = derived(&subject);
    let output = quote!(<#ty as ::cnn_core::network::Network>::Output);
    let Views { declared: views_declared, implemented: views } = views::fallback(&subject, plan, &output);
    let loss = loss::fallback(&subject, plan, &output);
    let Views { declared: inputs_declared, implemented: inputs } = inputs::fallback(&subject, plan, &output);
    let family = family.map(|sizes| super::family::fallback(&subject, sizes));
    let Views { declared: family_declared, implemented: family } = family.unwrap_or_default();
    let modules = modules();
    quote! {
        #declared
        #family_declared
        #inputs_declared
        #views_declared
        #(#cfg)*
        const _: () = {
            #modules
            #[allow(dead_code)]
            const __BAD: usize = { #(#errors;)* 0 };
            impl #generics __network::Network for #ty #bound {
                type Input = #input;
                type Output = #bad;
                #inputs_of
                const NAME: &'static str = #text;
                const STEPS: &'static [__network::Step] = &[];
                const MEMORY: __network::Memory =
                    __network::Memory { evaluation: 0, prediction: 0, training: 0 };
                const STEP_NEEDS: __network::Needs = __network::Needs::NONE;
                const STEP_PREPARED: __network::Prepared = __network::Prepared::NONE;

                fn from_weights(weights: __network::Weights<Self>) -> Self {
                    Self { weights }
                }

                fn weights(&self) -> &__network::Weights<Self> {
                    &self.weights
                }

                fn weights_mut(&mut self) -> &mut __network::Weights<Self> {
                    &mut self.weights
                }

                fn evaluate(
                    _: &mut __layer::Pass<'_>, _: usize, _: __layer::Owned<'_>, _: &[f32],
                    _: &mut [f32],
                ) {
                }

                fn forward_steps(
                    _: &mut __layer::Pass<'_>, _: usize, _: __layer::Owned<'_>, _: &[f32],
                    _: &mut [f32],
                ) {
                }

                fn prepare_steps(_: __network::MadeFor, _: &[f32], _: &[f32], _: &mut [f32]) {}

                fn predict_steps(
                    _: &mut __layer::Pass<'_>, _: usize, _: __layer::Owned<'_>, _: &[f32],
                    _: &mut [f32],
                ) {
                }

                fn backward_steps(
                    _: &mut __layer::Pass<'_>, _: usize, _: __layer::Owned<'_>, _: &[f32],
                    _: &[f32], _: &mut [f32], _: __Option<__layer::GradInput<'_>>,
                    _: &mut [f32],
                ) {
                }
            }
            #derived
            #family
            #inputs
            #loss
            #views
        };
    }
}
