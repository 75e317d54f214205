//! What things are called in what is written.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::layers::Row;
use crate::parse::ast;
use crate::plan::{Map, MapId, Plan};
use crate::size::{Shape, Size, braced};

/// The type of a map. An error of a constant keeps rustc from comparing it with other types.
pub(crate) fn map_type(plan: &Plan, map: &Map) -> TokenStream {
    let reports: Vec<_> = plan.constants[..map.constants].iter().map(|constant| &constant.report).collect();
    let braced = |size: &Size| match size {
        Size::Const(number) if !reports.is_empty() => {
            quote!({ ::cnn_core::shape::check::after(&[#(#reports),*], #number) })
        }
        size => braced(size),
    };
    let shape = match &map.shape {
        Shape::Chw(sizes) => {
            let [channels, height, width] = sizes.each_ref().map(braced);
            quote!(::cnn_core::shape::Chw<#channels, #height, #width>)
        }
        Shape::Flat(features) => {
            let features = braced(features);
            quote!(::cnn_core::shape::Flat<#features>)
        }
        Shape::Sizes(sizes) => quote! {
            <::cnn_core::shape::Select<
                { #sizes.is_flat() }, { #sizes.channels() }, { #sizes.height() }, { #sizes.width() }
            > as ::cnn_core::shape::Selected>::Shape
        },
    };
    if map.probabilities { quote!(::cnn_core::shape::Probabilities<#shape>) } else { shape }
}

/// A name of the shape of an input, an output or a head that can be said anywhere, and what gives it that name, where only
/// rustc knows the shape.
pub(crate) fn port_type(network: &ast::Network, plan: &Plan, map: MapId, index: usize) -> (TokenStream, TokenStream) {
    let (name, map) = (&network.name, plan.map(map));
    let shape = map_type(plan, map);
    if map.shape.is_known() {
        return (shape, TokenStream::new());
    }
    let port = quote!(::cnn_core::network::Port<#index>);
    (quote!(<#name as #port>::Shape), quote!(impl #port for #name { type Shape = #shape; }))
}

/// The type of what a network takes, and of what it makes.
pub(crate) fn ends(network: &ast::Network, plan: &Plan) -> [TokenStream; 2] {
    let name = &network.name;
    let input = match plan.inputs.as_slice() {
        [] => map_type(plan, &plan.maps[0]),
        _ => quote!(::cnn_core::network::Inputs<#name>),
    };
    let output = match plan.outputs.as_slice() {
        [] => map_type(plan, plan.map(plan.output)),
        _ => quote!(::cnn_core::network::Outputs<#name>),
    };
    [input, output]
}

/// The module and the trait of a layer: `max_pool2d`, `MaxPool2d`.
pub(crate) fn names(row: &Row) -> (Ident, Ident) {
    if let Some((module, layer_trait)) = row.family {
        return (format_ident!("{module}"), format_ident!("{layer_trait}"));
    }
    let camel: String = row.name.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
    (format_ident!("{}", row.name), format_ident!("{camel}"))
}
