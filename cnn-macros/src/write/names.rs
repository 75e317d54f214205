//! What things are called in what is written.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::layers::Row;
use crate::parse::ast;
use crate::plan::{Map, MapId, Plan};
use crate::size::{Shape, Size, braced};

/// Short names of the library's modules, for what is inside of an expansion: every token takes rustc time, and most of a path's
/// are said again and again. No user's name begins so.
pub(crate) fn modules() -> TokenStream {
    quote! {
        #[allow(unused_imports)]
        use ::cnn_core::{
            kernel as __kernel, kernel::geometry as __geometry, layer as __layer, network as __network, shape as __shape,
        };
        #[allow(unused_imports)]
        use ::core::option::Option as __Option;
    }
}

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

/// A network where it is written about: its type, or that of all its sizes at once.
pub(crate) struct Subject<'a> {
    pub(crate) network: &'a ast::Network,
    /// `Net`, or `PNet<H, W>`.
    pub(crate) ty: TokenStream,
    /// Of a network at several sizes: their names.
    pub(crate) sizes: &'a [Ident],
}

impl<'a> Subject<'a> {
    pub(crate) fn of(network: &'a ast::Network) -> Self {
        let (name, sizes) = (&network.name, network.family.as_ref().map_or(&[][..], |family| &family.names));
        let arguments = arguments(sizes);
        Self { network, ty: quote!(#name #arguments), sizes }
    }

    /// `const H: usize`, of each.
    pub(crate) fn parameters(&self) -> Vec<TokenStream> {
        self.sizes.iter().map(|name| quote!(const #name: usize)).collect()
    }

    /// `<const H: usize, const W: usize>`, behind `impl`.
    pub(crate) fn generics(&self) -> TokenStream {
        angles(&self.parameters())
    }

    /// `<'a, H, W>`, with this lifetime.
    pub(crate) fn borrowed(&self, lifetime: &TokenStream) -> TokenStream {
        let sizes = self.sizes;
        quote!(<#lifetime #(, { #sizes })*>)
    }

    /// The trait of those sizes that there are.
    pub(crate) fn size_trait(&self) -> Ident {
        format_ident!("{}Size", self.network.name)
    }

    /// `where PNet<H, W>: PNetSize`
    pub(crate) fn bound(&self) -> TokenStream {
        let (ty, size_trait) = (&self.ty, self.size_trait());
        if self.sizes.is_empty() { TokenStream::new() } else { quote!(where #ty: #size_trait) }
    }

    /// A name of the shape of an input, an output or a head that can be said anywhere, and what gives it that name, where only
    /// rustc knows the shape, or it is another at each size.
    pub(crate) fn port(&self, plan: &Plan, map: MapId, index: usize) -> (TokenStream, TokenStream) {
        let (ty, port, map) = (&self.ty, port(index), plan.map(map));
        if !self.sizes.is_empty() {
            return (quote!(<#ty as #port>::Shape), TokenStream::new());
        }
        let shape = map_type(plan, map);
        if map.shape.is_known() {
            return (shape, TokenStream::new());
        }
        (quote!(<#ty as #port>::Shape), quote!(impl #port for #ty { type Shape = #shape; }))
    }
}

/// The trait that gives the shape of an input, an output or a head a name.
pub(crate) fn port(index: usize) -> TokenStream {
    quote!(::cnn_core::network::Port<#index>)
}

/// A list between angle brackets, if it has something.
pub(crate) fn angles(parts: &[TokenStream]) -> TokenStream {
    if parts.is_empty() { TokenStream::new() } else { quote!(<#(#parts),*>) }
}

/// `<H, W>`, in braces, as a type may have the same name.
fn arguments(sizes: &[Ident]) -> TokenStream {
    angles(&sizes.iter().map(|name| quote!({ #name })).collect::<Vec<_>>())
}

/// The type of what a network of this type takes, and of what it makes.
pub(crate) fn ends(name: &TokenStream, plan: &Plan) -> [TokenStream; 2] {
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
