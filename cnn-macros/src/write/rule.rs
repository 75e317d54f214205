//! The rule of a window once more, as types: rustc derives the output from the literal input of the step, and holds the
//! macro's arithmetic to it.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use crate::layers::Arguments;
use crate::size::{Shape, Size, braced};

/// Types of larger numbers are deeper than rustc goes by itself: beyond, the rule on numbers holds the macro's arithmetic.
const LARGEST_TYPE: u64 = 1 << 20;

/// A constant that compiles only where rustc makes the same map as the macro; none where the macro does not know all numbers.
pub(crate) fn twin(arguments: &Arguments, input: &Shape, output: &Shape) -> Option<TokenStream> {
    arguments.get("kernel_size")?;
    let [_, in_height, in_width] = input.sizes();
    let [channels, height, width] = output.sizes();
    let channels = braced(&channels);
    let (cells, made) = ([in_height, in_width], [height.known()?, width.known()?]);
    let (vertical, horizontal) = (side(arguments, &cells, made, 0)?, side(arguments, &cells, made, 1)?);
    let [height, width] = made.map(Literal::u64_unsuffixed);
    Some(quote! {
        const _: __shape::Chw<#channels, { #vertical }, { #horizontal }> =
            __shape::Chw::<#channels, #height, #width>;
    })
}

/// The positions on one axis.
fn side(arguments: &Arguments, cells: &[Size; 2], made: [u64; 2], side: usize) -> Option<TokenStream> {
    let cells = cells[side].known()?;
    let [kernel, stride, dilation] =
        ["kernel_size", "stride", "dilation"].map(|name| arguments.pair_or_ones(name)[side].known());
    let (kernel, stride, dilation) = (kernel?, stride?, dilation?);
    let padding = arguments.padding();
    let (before, behind) = (padding[2 * side].known()?, padding[2 * side + 1].known()?);
    let output_padding = match arguments.get("output_padding") {
        Some(_) => Some(arguments.pair("output_padding")[side].known()?),
        None => None,
    };
    let numbers = [cells, kernel, stride, dilation, before, behind, output_padding.unwrap_or(0), made[side]];
    let ceil = arguments.truth("ceil_mode");
    let window = quote!(__shape::window);
    if numbers.iter().any(|number| *number > LARGEST_TYPE) {
        let [cells, kernel, stride, dilation, before, behind, gained, _] = numbers.map(Literal::u64_unsuffixed);
        return Some(match (output_padding, ceil) {
            (Some(_), _) => {
                quote!(#window::transposed_output(#cells, #kernel, #stride, #before + #behind, #gained, #dilation))
            }
            (None, true) => quote!(#window::ceil_output(#cells, #kernel, #stride, #before, #dilation)),
            (None, false) => quote!(#window::output(#cells + #before + #behind, #kernel, #stride, 0, #dilation)),
        });
    }
    let [cells, kernel, stride, dilation] = [cells, kernel, stride, dilation].map(typenum);
    if let Some(output_padding) = output_padding {
        let (padding, output_padding) = (typenum(before + behind), typenum(output_padding));
        return Some(quote! {
            #window::Transposed::<#kernel, #stride, #padding, #output_padding, #dilation>::cells::<#cells>()
        });
    }
    if before != behind {
        let (before, behind) = (typenum(before), typenum(behind));
        let padded = quote! {
            __shape::typenum::Sum<__shape::typenum::Sum<#cells, #before>, #behind>
        };
        let none = typenum(0);
        return Some(quote!(#window::Window::<#kernel, #stride, #none, #dilation>::positions::<#padded>()));
    }
    let padding = typenum(before);
    let name = if ceil { quote!(CeilWindow) } else { quote!(Window) };
    Some(quote!(#window::#name::<#kernel, #stride, #padding, #dilation>::positions::<#cells>()))
}

/// A number as typenum's type: by its name up to 1024, by its bits above.
fn typenum(number: u64) -> TokenStream {
    if number <= 1024 {
        let name = format_ident!("U{number}");
        return quote!(__shape::typenum::#name);
    }
    let rest = typenum(number / 2);
    let bit = format_ident!("B{}", number % 2);
    quote!(__shape::typenum::UInt<#rest, __shape::typenum::#bit>)
}
