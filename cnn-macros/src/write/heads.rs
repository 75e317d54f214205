//! The heads of a network: views, by name, of what the labelled branches of a last concatenation made.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::declaration::cfg;
use super::names::map_type;
use crate::parse::ast;
use crate::plan::Plan;
use crate::size::{Shape, Size};

/// What becomes of them.
#[derive(Default)]
pub(crate) struct Heads {
    /// A type beside the network's, with a field for each.
    pub(crate) declared: TokenStream,
    /// The way to it, where the network's constants are in scope.
    pub(crate) implemented: TokenStream,
}

/// A head.
struct Head<'a> {
    label: &'a Ident,
    first: Size,
    /// A name of its shape that can be said anywhere.
    shape: TokenStream,
    documentation: String,
}

pub(crate) fn name(network: &ast::Network) -> Ident {
    format_ident!("{}Heads", network.name)
}

/// The labels of a plan's heads.
pub(crate) fn labels(plan: &Plan) -> impl Iterator<Item = &Ident> {
    plan.heads.iter().filter_map(|branch| branch.label.as_ref())
}

/// Of a sound network.
pub(crate) fn heads(network: &ast::Network, plan: &Plan) -> Heads {
    let name = &network.name;
    let firsts = plan.firsts(&plan.heads.iter().map(|branch| branch.map).collect::<Vec<_>>());
    let (mut heads, mut shapes) = (Vec::new(), TokenStream::new());
    for (index, (branch, first)) in plan.heads.iter().zip(firsts).enumerate() {
        let Some(label) = &branch.label else { continue };
        let map = plan.map(branch.map);
        let (shape, documentation) = (map_type(plan, map), documentation(&map.shape, &first));
        let shape = if map.shape.is_known() {
            shape
        } else {
            let head = quote!(::cnn_core::network::Head<#index>);
            shapes.extend(quote!(impl #head for #name { type Shape = #shape; }));
            quote!(<#name as #head>::Shape)
        };
        heads.push(Head { label, first, shape, documentation });
    }
    let mut code = code(network, &heads, &map_type(plan, plan.map(plan.output)));
    code.implemented.extend(shapes);
    code
}

/// Of a wrong network, whose output has this type: the same names.
pub(crate) fn fallback(network: &ast::Network, plan: &Plan, bad: &TokenStream) -> Heads {
    let mut heads: Vec<Head<'_>> = Vec::new();
    for label in labels(plan) {
        // A label that is there twice was reported.
        if heads.iter().all(|head| head.label != label) {
            heads.push(Head { label, first: Size::Known(0), shape: bad.clone(), documentation: String::new() });
        }
    }
    code(network, &heads, bad)
}

fn documentation(shape: &Shape, first: &Size) -> String {
    let [channels, ..] = shape.sizes();
    match (shape, first.known(), channels.known()) {
        (Shape::Sizes(_), ..) | (_, None, _) | (_, _, None) => String::new(),
        (_, Some(first), Some(channels)) => {
            let what = if matches!(shape, Shape::Flat(_)) { "features" } else { "channels" };
            format!(": {shape}, the {what} from {first} to {}", first.saturating_add(channels - 1))
        }
    }
}

fn code(network: &ast::Network, heads: &[Head<'_>], output: &TokenStream) -> Heads {
    if heads.is_empty() {
        return Heads::default();
    }
    let ast::Network { attributes, visibility, name: network_name, .. } = network;
    let (name, cfg) = (name(network), cfg(attributes));
    let fields = heads.iter().map(|Head { label, shape, documentation, .. }| {
        let text = format!(" What the branch `{label}` made{documentation}.");
        quote! {
            #[doc = #text]
            #visibility #label: ::cnn_core::tensor::Part<'a, #shape>,
        }
    });
    let views = heads.iter().map(|Head { label, first, .. }| quote!(#label: output.part(#first)));
    let about = format!(" The output of [`{network_name}`], by the names of the branches of its last `concat`.");
    let what = " The output, by the names of the branches of the last `concat`.";
    Heads {
        declared: quote! {
            #(#cfg)*
            #[doc = #about]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            #[allow(dead_code)]
            #visibility struct #name<'a> {
                #(#fields)*
            }
        },
        implemented: quote! {
            impl #network_name {
                #[doc = #what]
                #[must_use]
                #[allow(dead_code)]
                #visibility fn heads(output: ::cnn_core::tensor::Samples<'_, #output>) -> #name<'_> {
                    #name { #(#views),* }
                }
            }
        },
    }
}
