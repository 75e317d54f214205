//! The rule of a window once more, as types: rustc derives the output from the literal input of the step, and holds the
//! macro's arithmetic to it.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use crate::layers::Arguments;
use crate::size::{Shape, Size, braced};

/// A constant that compiles only where rustc makes the same map as the macro; none where the macro does not know all numbers.
pub(crate) fn twin(arguments: &Arguments, input: &Shape, output: &Shape) -> Option<TokenStream> {
    arguments.get("kernel_size")?;
    let [_, in_height, in_width] = input.sizes();
    let [channels, height, width] = output.sizes();
    let channels = braced(&channels);
    let (cells, made) = ([in_height, in_width], [height.known()?, width.known()?].map(Literal::u64_unsuffixed));
    let (vertical, horizontal) = (side(arguments, &cells, 0)?, side(arguments, &cells, 1)?);
    let [height, width] = made;
    Some(quote! {
        const _: ::cnn_core::shape::Chw<#channels, { #vertical }, { #horizontal }> =
            ::cnn_core::shape::Chw::<#channels, #height, #width>;
    })
}

/// The positions on one axis.
fn side(arguments: &Arguments, cells: &[Size; 2], side: usize) -> Option<TokenStream> {
    let number = |pair: [Size; 2]| pair[side].known().map(typenum);
    let cells = number(cells.clone())?;
    let [kernel, stride, dilation] =
        ["kernel_size", "stride", "dilation"].map(|name| number(arguments.pair_or_ones(name)));
    let (kernel, stride, dilation) = (kernel?, stride?, dilation?);
    let padding = arguments.padding();
    let (before, behind) = (padding[2 * side].known()?, padding[2 * side + 1].known()?);
    let window = quote!(::cnn_core::shape::window);
    if arguments.get("output_padding").is_some() {
        let (padding, output_padding) = (typenum(before + behind), number(arguments.pair("output_padding").clone())?);
        return Some(quote! {
            #window::Transposed::<#kernel, #stride, #padding, #output_padding, #dilation>::cells::<#cells>()
        });
    }
    if before != behind {
        let (before, behind) = (typenum(before), typenum(behind));
        let padded = quote! {
            ::cnn_core::shape::typenum::Sum<::cnn_core::shape::typenum::Sum<#cells, #before>, #behind>
        };
        let none = typenum(0);
        return Some(quote!(#window::Window::<#kernel, #stride, #none, #dilation>::positions::<#padded>()));
    }
    let padding = typenum(before);
    let name = if arguments.truth("ceil_mode") { quote!(CeilWindow) } else { quote!(Window) };
    Some(quote!(#window::#name::<#kernel, #stride, #padding, #dilation>::positions::<#cells>()))
}

/// A number as typenum's type: by its name up to 1024, by its bits above.
fn typenum(number: u64) -> TokenStream {
    if number <= 1024 {
        let name = format_ident!("U{number}");
        return quote!(::cnn_core::shape::typenum::#name);
    }
    let rest = typenum(number / 2);
    let bit = format_ident!("B{}", number % 2);
    quote!(::cnn_core::shape::typenum::UInt<#rest, ::cnn_core::shape::typenum::#bit>)
}
