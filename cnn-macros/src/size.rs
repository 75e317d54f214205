//! Sizes of maps, known or for rustc to evaluate.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote};

/// The sizes of a map.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    /// Channels, height, width.
    Chw([Size; 3]),
    /// Features.
    Flat(Size),
    /// What only rustc knows, even whether it is flat: an expression of type `Sizes`.
    Sizes(TokenStream),
}

/// A number that the macro knows, or an expression of type `usize` for rustc.
#[derive(Debug, Clone)]
pub(crate) enum Size {
    Known(u64),
    Const(TokenStream),
}

/// A number with a fraction that the macro knows, or a constant of type `Real` for rustc.
#[derive(Debug, Clone)]
pub(crate) enum Real {
    Known(f64),
    Const(TokenStream),
}

impl Real {
    pub(crate) fn known(&self) -> Option<f64> {
        match self {
            Self::Known(number) => Some(*number),
            Self::Const(_) => None,
        }
    }

    /// It as a value of type `Real`.
    pub(crate) fn checked(&self) -> TokenStream {
        match self {
            Self::Known(number) => {
                let number = Literal::f64_unsuffixed(*number);
                quote!(::cnn_core::shape::check::known(#number))
            }
            Self::Const(constant) => constant.clone(),
        }
    }
}

impl ToTokens for Real {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Known(number) => Literal::f64_unsuffixed(*number).to_tokens(tokens),
            Self::Const(constant) => tokens.extend(quote!(#constant.value)),
        }
    }
}

impl Size {
    pub(crate) fn known(&self) -> Option<u64> {
        match self {
            Self::Known(number) => Some(*number),
            Self::Const(_) => None,
        }
    }
}

impl ToTokens for Size {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Known(number) => Literal::u64_unsuffixed(*number).to_tokens(tokens),
            Self::Const(expression) => expression.to_tokens(tokens),
        }
    }
}

impl Shape {
    /// Values of one sample.
    pub(crate) fn len(&self) -> Size {
        let factors = match self {
            Self::Chw(sizes) => sizes.as_slice(),
            Self::Flat(size) => std::slice::from_ref(size),
            Self::Sizes(sizes) => return Size::Const(quote!(#sizes.len())),
        };
        let known = factors.iter().map(Size::known).try_fold(1_u64, |product, size| product.checked_mul(size?));
        known.map_or_else(
            || {
                let rest = factors[1..].iter();
                let first = factors[0].to_token_stream();
                Size::Const(rest.fold(first, |product, size| quote!(#product * #size)))
            },
            Size::Known,
        )
    }

    /// Values of one sample, if the macro knows.
    pub(crate) fn known_len(&self) -> Option<u64> {
        self.len().known()
    }

    /// Channels, height and width, or features, 1 and 1.
    pub(crate) fn sizes(&self) -> [Size; 3] {
        match self {
            Self::Chw(sizes) => sizes.clone(),
            Self::Flat(features) => [features.clone(), Size::Known(1), Size::Known(1)],
            Self::Sizes(sizes) => {
                [quote!(#sizes.channels()), quote!(#sizes.height()), quote!(#sizes.width())].map(Size::Const)
            }
        }
    }

    /// Whether two shapes cannot be the same, whatever the sizes are that the macro does not know.
    pub(crate) fn contradicts(&self, other: &Self) -> bool {
        let differ =
            |(one, other): (&Size, &Size)| one.known().zip(other.known()).is_some_and(|(one, other)| one != other);
        match (self, other) {
            (Self::Chw(sizes), Self::Chw(others)) => sizes.iter().zip(others).any(differ),
            (Self::Flat(size), Self::Flat(other)) => differ((size, other)),
            (Self::Sizes(_), _) | (_, Self::Sizes(_)) => false,
            (Self::Chw(_), Self::Flat(_)) | (Self::Flat(_), Self::Chw(_)) => true,
        }
    }

    pub(crate) fn is_known(&self) -> bool {
        !matches!(self, Self::Sizes(_)) && self.sizes().iter().all(|size| size.known().is_some())
    }
}

/// As a reader writes it: `16x5x5`, `400`.
impl std::fmt::Display for Shape {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |size: &Size| size.known().map_or("?".to_owned(), |number| number.to_string());
        match self {
            Self::Chw(sizes) => formatter.write_str(&sizes.each_ref().map(text).join("x")),
            Self::Flat(size) => formatter.write_str(&text(size)),
            Self::Sizes(_) => formatter.write_str("?"),
        }
    }
}

/// A size as an argument of a type.
pub(crate) fn braced(size: &Size) -> TokenStream {
    match size {
        Size::Known(_) => size.to_token_stream(),
        Size::Const(expression) => quote!({ #expression }),
    }
}

/// A map's sizes as an expression of type `Sizes`.
pub(crate) fn sizes_expression(shape: &Shape) -> TokenStream {
    match shape {
        Shape::Chw([channels, height, width]) => {
            quote!(__shape::Sizes::Map { channels: #channels, height: #height, width: #width })
        }
        Shape::Flat(features) => quote!(__shape::Sizes::Flat { features: #features }),
        Shape::Sizes(sizes) => sizes.clone(),
    }
}
