//! A network without weights that makes one number of several inputs, as a loss of the first of them.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::inputs::fallback_types;
use super::names::Subject;
use crate::plan::{MapId, Plan};

/// The way to it, if it is one.
pub(crate) fn loss(subject: &Subject<'_>, plan: &Plan) -> TokenStream {
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
    code(subject, &shapes.collect::<Vec<_>>())
}

/// Of a wrong network, which may have been one.
pub(crate) fn fallback(subject: &Subject<'_>, plan: &Plan, bad: &TokenStream) -> TokenStream {
    let names: Vec<_> = subject.network.inputs.iter().filter_map(|input| input.name.as_ref()).collect();
    // A name that is there twice was reported.
    let is_distinct = names.iter().enumerate().all(|(index, name)| !names[..index].contains(name));
    if names.len() < 2 || !is_distinct {
        return TokenStream::new();
    }
    code(subject, &fallback_types(subject, plan, bad))
}

fn code(subject: &Subject<'_>, shapes: &[TokenStream]) -> TokenStream {
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
                ::cnn_core::train::DeclaredLoss::new([#(::cnn_core::network::Given::of(#others)),*])
            }
        }
    }
}
