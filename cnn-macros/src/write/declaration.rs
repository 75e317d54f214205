//! The type of a network, and what the user may derive for it.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Meta};

use super::names::Subject;
use crate::parse::ast;

/// The type itself, under the user's attributes.
pub(crate) fn declaration(subject: &Subject<'_>, table: &[String]) -> TokenStream {
    let ast::Network { attributes, visibility, name, .. } = subject.network;
    let (generics, bound) = (subject.generics(), subject.bound());
    quote! {
        #(#attributes)*
        #(#[doc = #table])*
        #visibility struct #name #generics #bound {
            weights: ::cnn_core::network::Weights<Self>,
        }
    }
}

/// Attributes that take away all that is made, not only the type.
pub(crate) fn cfg(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"))
}

/// `Clone` and `Debug`, where the user does not derive them.
pub(crate) fn derived(subject: &Subject<'_>) -> TokenStream {
    let Subject { network, ty, .. } = subject;
    let (generics, bound) = (subject.generics(), subject.bound());
    let derives = |what: &str| {
        network.attributes.iter().any(|attribute| match &attribute.meta {
            Meta::List(list) if list.path.is_ident("derive") => {
                list.tokens.clone().into_iter().any(|token| token.to_string() == what)
            }
            _ => false,
        })
    };
    let clone = (!derives("Clone")).then(|| {
        quote! {
            impl #generics ::core::clone::Clone for #ty #bound {
                fn clone(&self) -> Self {
                    Self { weights: ::core::clone::Clone::clone(&self.weights) }
                }
            }
        }
    });
    let debug = (!derives("Debug")).then(|| {
        quote! {
            impl #generics ::core::fmt::Debug for #ty #bound {
                fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    ::core::fmt::Debug::fmt(&self.weights, formatter)
                }
            }
        }
    });
    quote!(#clone #debug)
}
