//! What things are called in what is written.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::layers::Row;
use crate::plan::{Map, Plan};
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

/// The module and the trait of a layer: `max_pool2d`, `MaxPool2d`.
pub(crate) fn names(row: &Row) -> (Ident, Ident) {
    if let Some((module, layer_trait)) = row.family {
        return (format_ident!("{module}"), format_ident!("{layer_trait}"));
    }
    let camel: String = row.name.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
    (format_ident!("{}", row.name), format_ident!("{camel}"))
}
