//! A step as a type, and as data.

use std::collections::HashSet;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};

use super::names::{map_type, names};
use super::{expression, rule};
use crate::layers::{Applied, Arguments, Row, Settled};
use crate::plan::fuse::flattened_channels;
use crate::plan::place::home;
use crate::plan::{JoinKind, Kind, Plan, Run, Step, StepId};
use crate::plan::{custom_layer, frozen_type, step_type};
use crate::size::sizes_expression;
use crate::span::ours;

/// The type of a step, and the rule once more, by typenum.
pub(super) fn layer(plan: &Plan, index: StepId, step: &Step) -> TokenStream {
    match &step.kind {
        Kind::Layer { row, arguments } => {
            let ty = layer_type(&step_type(index), row, &constants(plan, index, row, arguments));
            let rule = rule::twin(arguments, &plan.map(step.input()).shape, &plan.map(step.output).shape);
            quote!(#ty #rule)
        }
        Kind::Map(mapped) => expression::layer(plan, index, mapped, &step_type(index)),
        Kind::Join(_) | Kind::Take { .. } => TokenStream::new(),
        Kind::Custom(path) => {
            let input = map_type(plan, plan.map(step.input()));
            let name = custom_layer(index);
            let value = quote_spanned!(ours(step.span)=> __layer::custom::Custom::of::<#path, #input>());
            quote!(const #name: __layer::custom::Custom = #value;)
        }
    }
}

fn layer_type(name: &Ident, row: &Row, constants: &TokenStream) -> TokenStream {
    let (module, layer_trait) = names(row);
    quote! {
        struct #name;
        impl __layer::#module::#layer_trait for #name { #constants }
    }
}

/// What a layer's type says, where the plan has its maps and what it does by the way.
fn constants(plan: &Plan, index: StepId, row: &Row, arguments: &Arguments) -> TokenStream {
    let step = &plan.steps[index];
    let input = &plan.map(step.input()).shape;
    let fused = fused(plan, plan.applied(index));
    let layout = [step.input(), step.output].map(|map| home(plan, map).stride);
    let settled = Settled { arguments, input, fused, flattened: flattened_channels(plan, index), layout };
    (row.constants)(&settled)
}

/// An activation that a step applies, or none, as a value of the library's.
pub(super) fn fused(plan: &Plan, activation: Option<StepId>) -> TokenStream {
    let applied = activation.and_then(|index| Some((index, plan.steps[index].activation()?)));
    let value = match applied {
        None => quote!(None),
        Some((_, Applied::InRegisters(name))) => format_ident!("{name}").into_token_stream(),
        Some((index, Applied::Then)) => {
            let activation = step_type(index);
            quote!(Then(__layer::activation::then::<#activation>()))
        }
    };
    quote!(__kernel::FusedActivation::#value)
}

/// The steps whose types are others in a predictor, and these types.
pub(super) fn frozen(plan: &Plan, predictor: &Plan) -> (HashSet<StepId>, TokenStream) {
    let (mut frozen, mut types) = (HashSet::new(), TokenStream::new());
    for (index, step) in predictor.steps.iter().enumerate() {
        if let Kind::Layer { row, arguments } = &step.kind
            && step.run != Run::View
        {
            let [before, after] = [plan, predictor].map(|plan| constants(plan, index, row, arguments));
            if before.to_string() != after.to_string() {
                types.extend(layer_type(&frozen_type(index), row, &after));
                frozen.insert(index);
            }
        }
        if let Kind::Map(mapped) = &step.kind {
            let [before, after] = [plan, predictor].map(|plan| expression::geometry(plan, index, mapped).to_string());
            if before != after {
                types.extend(expression::layer(predictor, index, mapped, &frozen_type(index)));
                frozen.insert(index);
            }
        }
    }
    (frozen, types)
}

pub(super) fn step_data(plan: &Plan, index: StepId, step: &Step) -> TokenStream {
    let (path, layer) = (&step.path, step.layer());
    let [input, output] = [step.input(), step.output].map(|map| sizes_expression(&plan.map(map).shape));
    // Maps are numbered as the steps that make them, counted from 1.
    let reads = step.inputs.iter().map(|map| plan.map(*map).writer.map_or(0, |writer| writer + 1));
    let reads = reads.map(Literal::usize_unsuffixed);
    let operation = operation(plan, index);
    let shares = match step.shares.map(Literal::usize_unsuffixed) {
        Some(owner) => quote!(__Option::Some(#owner)),
        None => quote!(__Option::None),
    };
    quote!(__network::Step {
        path: #path, layer: #layer, operation: #operation, shares: #shares, inputs: &[#(#reads),*], input: #input,
        output: #output,
    })
}

/// The scratch memory of a step: a constant of its own, because rustc loses patience with long ones.
pub(super) fn needs(plan: &Plan, index: StepId, step: &Step) -> Option<TokenStream> {
    match &step.kind {
        Kind::Join(join) if join.kind == JoinKind::Matmul => {
            let geometry = matmul(plan, step);
            Some(quote!(#geometry.needs()))
        }
        Kind::Custom(_) => {
            let custom = custom_layer(index);
            Some(quote!(#custom.needs))
        }
        Kind::Layer { row, .. } => row.scratch.then(|| {
            let ((module, _), name) = (names(row), step_type(index));
            quote!(__layer::#module::needs::<#name>())
        }),
        Kind::Join(_) | Kind::Map(_) | Kind::Take { .. } => None,
    }
}

/// The numbers of a product of matrices, which reads what is transposed where it lies.
pub(super) fn matmul(plan: &Plan, step: &Step) -> TokenStream {
    let maps = [0, 1].map(|branch| step.inputs[branch]);
    let [first, second] = maps.map(|map| {
        let sizes = plan.map(map).shape.sizes();
        quote!([#(#sizes),*])
    });
    let [one, other] = maps.map(|map| {
        let writer = plan.map(map).writer.map(|writer| &plan.steps[writer]);
        writer.is_some_and(|writer| writer.is("transpose") && writer.run == Run::View)
    });
    quote!(__geometry::MatmulGeometry::of(#first, #second, [#one, #other]))
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
            quote_spanned!(ours(plan.steps[index].span)=> <#name as __layer::#module::#layer_trait>::OPERATION)
        }
        Kind::Join(join) => match join.kind {
            JoinKind::Add => quote!(__layer::Operation::Add),
            JoinKind::Multiply => quote!(__layer::Operation::Multiply),
            JoinKind::Concat => quote!(__layer::Operation::Concat),
            JoinKind::Matmul => {
                let geometry = matmul(plan, &plan.steps[index]);
                quote!(__layer::Operation::Matmul(#geometry))
            }
            JoinKind::Outputs => quote!(__layer::Operation::Outputs),
        },
        Kind::Map(mapped) => {
            let (name, count) = (step_type(index), Literal::usize_unsuffixed(mapped.operands.len()));
            quote!(<#name as __layer::map::Map<#count>>::OPERATION)
        }
        Kind::Take { first } => quote!(__layer::Operation::Input { first: #first }),
    }
}
