//! The inputs of a network that has several, by name.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::declaration::cfg;
use super::names::Subject;
use super::views::Views;
use crate::parse::ast;
use crate::plan::{Plan, Port};

/// Of a sound network.
pub(crate) fn inputs(subject: &Subject<'_>, plan: &Plan) -> Views {
    if plan.inputs.is_empty() {
        return Views::default();
    }
    let (mut types, mut ports) = (Vec::new(), TokenStream::new());
    for (index, Port { map, .. }) in plan.inputs.iter().enumerate() {
        let (shape, port) = subject.port(plan, *map, 2 * index);
        ports.extend(port);
        let sizes = format!(": {}", plan.map(*map).shape);
        types.push((shape, if subject.sizes.is_empty() { sizes } else { String::new() }));
    }
    let mut code = code(subject, &types);
    code.implemented.extend(ports);
    code
}

/// Of a wrong network, in which maps that are not known have this type.
pub(crate) fn fallback(subject: &Subject<'_>, plan: &Plan, bad: &TokenStream) -> Views {
    if subject.network.inputs.len() < 2 {
        return Views::default();
    }
    let types = fallback_types(subject, plan, bad).into_iter().map(|shape| (shape, String::new()));
    code(subject, &types.collect::<Vec<_>>())
}

/// The shapes of a wrong network's inputs, as far as they are known.
pub(super) fn fallback_types(subject: &Subject<'_>, plan: &Plan, bad: &TokenStream) -> Vec<TokenStream> {
    let known = |index: usize| {
        if !subject.sizes.is_empty() {
            return None;
        }
        let map = plan.inputs.get(index).map(|input| plan.map(input.map)).filter(|map| map.shape.is_known())?;
        Some(super::names::map_type(plan, map))
    };
    (0..subject.network.inputs.len()).map(|index| known(index).unwrap_or_else(|| bad.clone())).collect()
}

fn code(subject: &Subject<'_>, types: &[(TokenStream, String)]) -> Views {
    let ast::Network { attributes, visibility, name: network_name, inputs, .. } = subject.network;
    let (ty, parameters, generics, bound) = (&subject.ty, subject.parameters(), subject.generics(), subject.bound());
    let elided = subject.borrowed(&quote!('_));
    let (name, cfg) = (format_ident!("{network_name}Inputs"), cfg(attributes));
    let mut fields: Vec<(&Ident, TokenStream, String)> = Vec::new();
    for (name, (shape, documentation)) in inputs.iter().filter_map(|input| input.name.as_ref()).zip(types) {
        // A name that is there twice was reported.
        if fields.iter().all(|(other, ..)| *other != name) {
            let text = format!(" The input `{name}`{documentation}.");
            fields.push((name, quote!(::cnn_core::tensor::Batch<#shape>), text));
        }
    }
    let names: Vec<_> = fields.iter().map(|(name, ..)| name).collect();
    let batches: Vec<_> = fields.iter().map(|(_, batch, _)| batch).collect();
    let texts = fields.iter().map(|(.., text)| text);
    let about = format!(" The inputs of [`{network_name}`], by their names.");
    let all = quote!(::cnn_core::tensor::Batch<::cnn_core::network::Inputs<#ty>>);
    Views {
        declared: quote! {
            #(#cfg)*
            #[doc = #about]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            #[allow(dead_code)]
            #visibility struct #name<'a #(, #parameters)*> #bound {
                #(
                    #[doc = #texts]
                    #visibility #names: &'a #batches,
                )*
            }
        },
        implemented: quote! {
            impl #generics #name #elided #bound {
                /// One batch of all of them.
                ///
                /// # Errors
                ///
                /// [`Error::Samples`](::cnn_core::Error::Samples) when they are not equally many.
                #[allow(dead_code)]
                #visibility fn batch(&self) -> ::core::result::Result<#all, ::cnn_core::Error> {
                    let mut batch = ::cnn_core::tensor::Batch::zeros(0);
                    self.write_to(&mut batch)?;
                    ::core::result::Result::Ok(batch)
                }

                /// Makes `batch` one of all of them; allocates only to grow beyond what it ever was.
                ///
                /// # Errors
                ///
                /// [`Error::Samples`](::cnn_core::Error::Samples) when they are not equally many; `batch` is then as it was.
                #[allow(dead_code)]
                #visibility fn write_to(&self, batch: &mut #all) -> ::core::result::Result<(), ::cnn_core::Error> {
                    ::cnn_core::network::gather(&[#(::cnn_core::network::Given::of(self.#names)),*], batch)
                }
            }

            impl #generics #ty #bound {
                /// One batch of all inputs, in their order.
                ///
                /// # Errors
                ///
                /// [`Error::Samples`](::cnn_core::Error::Samples) when they are not equally many.
                #[allow(dead_code)]
                #visibility fn inputs(
                    #(#names: &#batches),*
                ) -> ::core::result::Result<#all, ::cnn_core::Error> {
                    #name { #(#names),* }.batch()
                }
            }
        },
    }
}
