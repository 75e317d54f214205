//! A network without weights that makes one number of several inputs, as a loss of the first of them.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::inputs::fallback_types;
use super::names::Subject;
use crate::plan::compose::MOST_MAPS;
use crate::plan::{Kind, MapId, Plan, step_type};

/// The way to it, if it is one. `steps` says whether the types of its steps are known where this is written.
pub(crate) fn loss(subject: &Subject<'_>, plan: &Plan, steps: bool) -> TokenStream {
    let has_weights = plan.steps.iter().any(|step| step.has_tensors());
    let is_one = |map: MapId| plan.map(map).shape.known_len() == Some(1);
    let is_loss = match plan.outputs.as_slice() {
        [] => is_one(plan.output),
        [loss, weight] => loss.name == "loss" && weight.name == "weight" && is_one(loss.map) && is_one(weight.map),
        _ => false,
    };
    if plan.inputs.len() < 2 || has_weights || !is_loss {
        return TokenStream::new();
    }
    let shapes = plan.inputs.iter().enumerate().map(|(index, port)| subject.port(plan, port.map, 2 * index).0);
    code(subject, &shapes.collect::<Vec<_>>(), if steps { one_loop(plan) } else { None })
}

/// The whole of it as one loop, where it is an expression of its inputs and the sum or mean of all values.
fn one_loop(plan: &Plan) -> Option<TokenStream> {
    let last = plan.map(plan.output).writer?;
    let (map, mean) = match &plan.steps[last].kind {
        Kind::Layer { row, arguments } if matches!(row.name, "sum" | "mean") && arguments.word("over") == "all" => {
            (plan.steps[last].input(), row.name == "mean")
        }
        Kind::Map(_) => (plan.output, false),
        _ => return None,
    };
    let index = plan.map(map).writer?;
    let Kind::Map(mapped) = &plan.steps[index].kind else { return None };
    let others = plan.steps.iter().enumerate().filter(|(other, _)| ![last, index].contains(other));
    let input_of = |map: &MapId| plan.inputs.iter().position(|port| port.map == *map);
    let inputs: Vec<usize> = plan.steps[index].inputs.iter().map(input_of).collect::<Option<_>>()?;
    let (by, once) = (inputs.iter().position(|input| *input == 0)?, inputs.iter().filter(|input| **input == 0).count());
    let are_inputs = others.into_iter().all(|(_, step)| matches!(step.kind, Kind::Take { .. }));
    if !are_inputs || once != 1 || !mapped.operands[by].is_whole() || plan.inputs.len() > MOST_MAPS {
        return None;
    }
    let (name, count) = (step_type(index), Literal::usize_unsuffixed(inputs.len()));
    let mean_of = if mean {
        let [channels, height, width] = plan.map(map).shape.sizes();
        quote!(#channels * #height * #width)
    } else {
        quote!(1)
    };
    let (by, inputs) = (Literal::usize_unsuffixed(by), inputs.into_iter().map(Literal::usize_unsuffixed));
    Some(quote! {
        .in_one_loop(::cnn_core::train::OneLoop {
            run: |inputs, scale, gradient| {
                ::cnn_core::layer::map::sum::<#name, #count>([#(inputs[#inputs]),*], #by, scale, gradient)
            },
            mean_of: #mean_of,
        })
    })
}

/// Of a wrong network, which may have been one.
pub(crate) fn fallback(subject: &Subject<'_>, plan: &Plan, bad: &TokenStream) -> TokenStream {
    let names: Vec<_> = subject.network.inputs.iter().filter_map(|input| input.name.as_ref()).collect();
    // A name that is there twice was reported.
    let is_distinct = names.iter().enumerate().all(|(index, name)| !names[..index].contains(name));
    if names.len() < 2 || !is_distinct {
        return TokenStream::new();
    }
    code(subject, &fallback_types(subject, plan, bad), None)
}

fn code(subject: &Subject<'_>, shapes: &[TokenStream], one_loop: Option<TokenStream>) -> TokenStream {
    let (ty, visibility, generics, bound) =
        (&subject.ty, &subject.network.visibility, subject.generics(), subject.bound());
    let names: Vec<_> = subject.network.inputs.iter().filter_map(|input| input.name.as_ref()).collect();
    let ([first, others @ ..], [shape, shapes @ ..]) = (names.as_slice(), shapes) else { return TokenStream::new() };
    let count = Literal::usize_unsuffixed(others.len());
    let about = format!(" It as a loss of `{first}`: its mean over a batch.");
    quote! {
        impl #generics #ty #bound {
            #[doc = #about]
            #[allow(dead_code)]
            #visibility fn loss<'a>(
                #(#others: &'a ::cnn_core::tensor::Batch<#shapes>),*
            ) -> ::cnn_core::train::DeclaredLoss<'a, Self, #shape, #count> {
                ::cnn_core::train::DeclaredLoss::new([#(::cnn_core::network::Given::of(#others)),*]) #one_loop
            }
        }
    }
}
