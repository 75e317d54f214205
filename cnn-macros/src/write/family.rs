//! A network at several sizes: one type with a number for each name that varies, which is a network at each size, and a trait
//! that says which sizes there are.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::declaration::{cfg, declaration, derived};
use super::names::{Subject, angles, map_type, port};
use super::views::{Views, ports};
use super::{docs, implemented, inputs, loss, views};
use crate::parse::ast;
use crate::plan::{AtSize, Plan, listed};
use crate::span::ours;

/// The type, and what it is at each size, of which each has its plan and its predictor's.
pub(crate) fn family(network: &ast::Network, sizes: &[(AtSize, [Plan; 2])]) -> TokenStream {
    let subject = Subject::of(network);
    let [(first, [first_plan, _]), ..] = sizes else { return TokenStream::new() };
    let declared = declaration(&subject, &docs::family(network, sizes));
    let (first, first_type) = (&first.called, at(network, first));
    let implemented = sizes.iter().map(|(size, [plan, predictor])| {
        let ty = at(network, size);
        let implemented = implemented(network, &ty, &size.called, plan, predictor);
        let size_trait = subject.size_trait();
        let ports = ports(plan).into_iter().map(|(index, map, first)| {
            let (port, shape) = (port(index), map_type(plan, plan.map(map)));
            quote!(impl #port for #ty { type Shape = #shape; const FIRST: usize = #first; })
        });
        let spans = size.tokens.clone().into_iter().next().map(|token| ours(token.span()));
        let check = quote_spanned!(spans.unwrap_or_else(|| ours(network.name.span()))=>
            ::cnn_core::network::check::same_weights::<#first_type, #ty>);
        let same_weights = (size.called != *first).then(|| quote!(const _: () = #check();));
        let cfg = cfg(&network.attributes);
        quote! {
            #(#cfg)*
            const _: () = {
                #implemented
                #(#ports)*
                impl #size_trait for #ty {}
                #same_weights
            };
        }
    });
    let (derived, cfg) = (derived(&subject), cfg(&network.attributes));
    let Views { declared: views_declared, implemented: views } = views::views(&subject, first_plan);
    let Views { declared: inputs_declared, implemented: inputs } = inputs::inputs(&subject, first_plan);
    let loss = loss::loss(&subject, first_plan, false);
    let supertraits = supertraits(first_plan, &first_type);
    let of_sizes: Vec<_> = sizes.iter().map(|(size, _)| size).collect();
    let sizes_declared = size_trait(&subject, &listed(of_sizes.iter().copied()), &supertraits);
    let resized = resized(&subject, &first_type);
    quote! {
        #declared
        #sizes_declared
        #inputs_declared
        #views_declared
        #(#cfg)*
        const _: () = {
            #derived
            #resized
            #inputs
            #loss
            #views
        };
        #(#implemented)*
    }
}

/// Of a wrong network: it has all sizes.
pub(super) fn fallback(subject: &Subject<'_>, sizes: &[AtSize]) -> Views {
    let (ty, generics, size_trait) = (&subject.ty, subject.generics(), subject.size_trait());
    if subject.sizes.is_empty() {
        return Views::default();
    }
    let first = sizes.first().map_or_else(
        || {
            let (name, ones) = (&subject.network.name, subject.sizes.iter().map(|_| quote!(1)).collect::<Vec<_>>());
            let arguments = angles(&ones);
            quote!(#name #arguments)
        },
        |size| at(subject.network, size),
    );
    let resized = resized(subject, &first);
    Views {
        declared: self::size_trait(subject, &listed(sizes.iter()), &TokenStream::new()),
        implemented: quote! {
            impl #generics #size_trait for #ty {}
            #resized
        },
    }
}

/// The type at a size: `PNet<12, 12>`.
fn at(network: &ast::Network, size: &AtSize) -> TokenStream {
    let numbers = size.numbers.iter().map(|number| Literal::u64_unsuffixed(*number));
    let (name, arguments) = (&network.name, angles(&numbers.map(|number| quote!(#number)).collect::<Vec<_>>()));
    quote!(#name #arguments)
}

/// What is known of the network at whatever size: functions that are generic over it may use that.
fn supertraits(plan: &Plan, first: &TokenStream) -> TokenStream {
    let input = (!plan.inputs.is_empty()).then(|| quote!(Input = ::cnn_core::network::Inputs<Self>));
    let output = (!plan.outputs.is_empty()).then(|| quote!(Output = ::cnn_core::network::Outputs<Self>));
    let ends = angles(&input.into_iter().chain(output).collect::<Vec<_>>());
    let ports = ports(plan).into_iter().map(|(index, ..)| port(index));
    quote!(: ::cnn_core::network::Resize<First = #first> + ::cnn_core::network::Network #ends #(+ #ports)*)
}

/// The trait that says which sizes there are, and what rustc says of others.
fn size_trait(subject: &Subject<'_>, sizes: &str, supertraits: &TokenStream) -> TokenStream {
    let ast::Network { attributes, visibility, name, .. } = subject.network;
    let (size_trait, cfg) = (subject.size_trait(), cfg(attributes));
    let about = format!(" [`{name}`] at one of its sizes: {sizes}.");
    let message = format!("`{name}` has no size `{{Self}}`");
    let note = format!("its sizes are {sizes}: those behind `for` in its declaration");
    quote! {
        #(#cfg)*
        #[doc = #about]
        #[allow(dead_code)]
        #[diagnostic::on_unimplemented(message = #message, label = "not one of its sizes", note = #note)]
        #visibility trait #size_trait #supertraits {}
    }
}

/// The network at another size.
fn resized(subject: &Subject<'_>, first: &TokenStream) -> TokenStream {
    let Subject { network, ty, sizes } = subject;
    let (generics, bound, size_trait) = (subject.generics(), subject.bound(), subject.size_trait());
    let (name, visibility) = (&network.name, &network.visibility);
    let others: Vec<Ident> = sizes.iter().map(|name| format_ident!("NEW_{name}")).collect();
    let parameters = angles(&others.iter().map(|name| quote!(const #name: usize)).collect::<Vec<_>>());
    let arguments = angles(&others.iter().map(|name| quote!({ #name })).collect::<Vec<_>>());
    let other = quote!(#name #arguments);
    quote! {
        impl #generics ::cnn_core::network::Resize for #ty #bound {
            type First = #first;
        }

        impl #generics #ty #bound {
            /// The network at another size, with the same weights: none is copied before one of the two is changed.
            #[must_use]
            #[allow(dead_code)]
            #visibility fn at #parameters(&self) -> #other where #other: #size_trait {
                ::cnn_core::network::Resize::resized(::core::clone::Clone::clone(self))
            }

            /// Makes it the network at another size, with the same weights, of which none is copied.
            #[must_use]
            #[allow(dead_code)]
            #visibility fn resize #parameters(self) -> #other where #other: #size_trait {
                ::cnn_core::network::Resize::resized(self)
            }
        }
    }
}
