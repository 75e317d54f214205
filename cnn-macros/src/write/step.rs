//! A step as a type, and as data.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};

use super::names::{map_type, names};
use super::rule;
use crate::layers::Settled;
use crate::plan::fuse::flattened_channels;
use crate::plan::place::home;
use crate::plan::{JoinKind, Kind, Plan, Step, StepId};
use crate::plan::{custom_layer, step_type};
use crate::size::sizes_expression;
use crate::span::ours;

/// The type of a step, and the rule once more, by typenum.
pub(super) fn layer(plan: &Plan, index: StepId, step: &Step) -> TokenStream {
    let name = step_type(index);
    match &step.kind {
        Kind::Layer { row, arguments } => {
            let input = &plan.map(step.input()).shape;
            let rectifier = plan.applied_rectifier(index);
            let layout = [step.input(), step.output].map(|map| home(plan, map).stride);
            let settled = Settled { arguments, input, rectifier, flattened: flattened_channels(plan, index), layout };
            let (module, layer_trait) = names(row);
            let constants = (row.constants)(&settled);
            let rule = rule::twin(arguments, input, &plan.map(step.output).shape);
            quote! {
                struct #name;
                impl ::cnn_core::layer::#module::#layer_trait for #name { #constants }
                #rule
            }
        }
        Kind::Join(_) => TokenStream::new(),
        Kind::Custom(path) => {
            let input = map_type(plan, plan.map(step.input()));
            let name = custom_layer(index);
            let value = quote_spanned!(ours(step.span)=> ::cnn_core::layer::custom::Custom::of::<#path, #input>());
            quote!(const #name: ::cnn_core::layer::custom::Custom = #value;)
        }
    }
}

pub(super) fn step_data(plan: &Plan, index: StepId, step: &Step) -> TokenStream {
    let (path, layer) = (&step.path, step.layer());
    let [input, output] = [step.input(), step.output].map(|map| sizes_expression(&plan.map(map).shape));
    // Maps are numbered as the steps that make them, counted from 1.
    let reads = step.inputs.iter().map(|map| plan.map(*map).writer.map_or(0, |writer| writer + 1));
    let reads = reads.map(Literal::usize_unsuffixed);
    let operation = operation(plan, index);
    quote!(::cnn_core::network::Step {
        path: #path, layer: #layer, operation: #operation, inputs: &[#(#reads),*], input: #input, output: #output,
    })
}

/// The scratch memory of a step: a constant of its own, because rustc loses patience with long ones.
pub(super) fn needs(index: StepId, step: &Step) -> Option<TokenStream> {
    match &step.kind {
        Kind::Custom(_) => {
            let custom = custom_layer(index);
            Some(quote!(#custom.needs))
        }
        Kind::Layer { row, .. } => row.scratch.then(|| {
            let ((module, _), name) = (names(row), step_type(index));
            quote!(::cnn_core::layer::#module::needs::<#name>())
        }),
        Kind::Join(_) => None,
    }
}

/// A step as data.
pub(super) fn operation(plan: &Plan, index: StepId) -> TokenStream {
    match &plan.steps[index].kind {
        Kind::Custom(_) => {
            let custom = custom_layer(index);
            quote!(#custom.operation)
        }
        Kind::Layer { row, .. } => {
            let ((module, layer_trait), name) = (names(row), step_type(index));
            quote_spanned!(ours(plan.steps[index].span)=> <#name as ::cnn_core::layer::#module::#layer_trait>::OPERATION)
        }
        Kind::Join(join) => match join.kind {
            JoinKind::Add => quote!(::cnn_core::layer::Operation::Add),
            JoinKind::Multiply => quote!(::cnn_core::layer::Operation::Multiply),
            JoinKind::Concat => quote!(::cnn_core::layer::Operation::Concat),
        },
    }
}
