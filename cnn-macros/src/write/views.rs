//! Views of a network's output by name: of its several outputs, or of its heads, which the labelled branches of a last
//! concatenation made.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use super::declaration::cfg;
use super::names::{Subject, port};
use crate::parse::ast::{self, Layer};
use crate::plan::{MapId, Plan};
use crate::size::{Shape, Size};

/// What becomes of them.
#[derive(Default)]
pub(crate) struct Views {
    /// A type beside the network's, with a field for each.
    pub(crate) declared: TokenStream,
    /// The way to it, where the network's constants are in scope.
    pub(crate) implemented: TokenStream,
}

/// One by its name.
struct View<'a> {
    name: &'a Ident,
    first: Size,
    /// A name of its shape that can be said anywhere.
    shape: TokenStream,
    documentation: String,
}

/// What they are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    Heads,
    Outputs,
}

impl Of {
    /// Of this plan; a network has one or the other.
    pub(crate) fn plan(plan: &Plan) -> Self {
        if plan.outputs.is_empty() { Self::Heads } else { Self::Outputs }
    }

    pub(crate) fn function(self) -> &'static str {
        match self {
            Self::Heads => "heads",
            Self::Outputs => "outputs",
        }
    }

    pub(crate) fn type_name(self, network: &ast::Network) -> Ident {
        match self {
            Self::Heads => format_ident!("{}Heads", network.name),
            Self::Outputs => format_ident!("{}Outputs", network.name),
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Heads => "The output, by the names of the branches of the last `concat`.",
            Self::Outputs => "The outputs by their names.",
        }
    }
}

/// The names of a plan's outputs or heads.
pub(crate) fn names(plan: &Plan) -> Vec<&Ident> {
    match Of::plan(plan) {
        Of::Heads => plan.heads.iter().filter_map(|branch| branch.label.as_ref()).collect(),
        Of::Outputs => plan.outputs.iter().map(|output| &output.name).collect(),
    }
}

/// The maps of a plan's outputs or heads, with the names of those that have one, and where they begin.
fn places(plan: &Plan) -> impl Iterator<Item = (Option<&Ident>, MapId, Size)> {
    let (branches, firsts): (Vec<(Option<&Ident>, MapId)>, _) = match Of::plan(plan) {
        Of::Heads => {
            let branches: Vec<_> = plan.heads.iter().map(|branch| (branch.label.as_ref(), branch.map)).collect();
            let firsts = plan.firsts(&maps(&branches));
            (branches, firsts)
        }
        Of::Outputs => {
            let branches: Vec<_> = plan.outputs.iter().map(|output| (Some(&output.name), output.map)).collect();
            let firsts = plan.offsets(&maps(&branches));
            (branches, firsts)
        }
    };
    branches.into_iter().zip(firsts).map(|((name, map), first)| (name, map, first))
}

/// Of a sound network.
pub(crate) fn views(subject: &Subject<'_>, plan: &Plan) -> Views {
    let of = Of::plan(plan);
    let (mut views, mut shapes) = (Vec::new(), TokenStream::new());
    for (index, (name, map, first)) in places(plan).enumerate() {
        let Some(name) = name else { continue };
        let (shape, impl_of_port) = subject.port(plan, map, 2 * index + 1);
        shapes.extend(impl_of_port);
        if subject.sizes.is_empty() {
            let documentation = documentation(&plan.map(map).shape, &first, of);
            views.push(View { name, first, shape, documentation });
        } else {
            let (ty, port) = (&subject.ty, port(2 * index + 1));
            let first = Size::Const(quote!(<#ty as #port>::FIRST));
            views.push(View { name, first, shape, documentation: String::new() });
        }
    }
    let mut code = code(subject, of, &views);
    code.implemented.extend(shapes);
    code
}

/// Of one of several sizes: the inputs, outputs and heads that have names, by their numbers, with the shapes that they have there
/// and where they begin.
pub(crate) fn ports(plan: &Plan) -> Vec<(usize, MapId, Size)> {
    let inputs = plan.inputs.iter().enumerate().map(|(index, input)| (2 * index, input.map, Size::Known(0)));
    let outputs = places(plan).enumerate().filter(|(_, (name, ..))| name.is_some());
    inputs.chain(outputs.map(|(index, (_, map, first))| (2 * index + 1, map, first))).collect()
}

fn maps(branches: &[(Option<&Ident>, MapId)]) -> Vec<MapId> {
    branches.iter().map(|(_, map)| *map).collect()
}

/// Of a wrong network, whose output has this type: the same names.
pub(crate) fn fallback(subject: &Subject<'_>, plan: &Plan, bad: &TokenStream) -> Views {
    let (of, names) = match subject.network.body.steps.last().map(|step| &step.layer) {
        Some(Layer::Outputs { branches, .. }) if branches.steps.len() > 1 => {
            (Of::Outputs, branches.steps.iter().filter_map(ast::Step::own_label).collect())
        }
        _ => (Of::Heads, names(plan)),
    };
    let mut views: Vec<View<'_>> = Vec::new();
    for name in names {
        // A name that is there twice was reported.
        if views.iter().all(|view| view.name != name) {
            views.push(View { name, first: Size::Known(0), shape: bad.clone(), documentation: String::new() });
        }
    }
    code(subject, of, &views)
}

fn documentation(shape: &Shape, first: &Size, of: Of) -> String {
    let [channels, ..] = shape.sizes();
    match (shape, first.known(), channels.known()) {
        (Shape::Sizes(_), ..) | (_, None, _) | (_, _, None) => String::new(),
        _ if of == Of::Outputs => format!(": {shape}"),
        (_, Some(first), Some(channels)) => {
            let what = if matches!(shape, Shape::Flat(_)) { "features" } else { "channels" };
            format!(": {shape}, the {what} from {first} to {}", first.saturating_add(channels - 1))
        }
    }
}

fn code(subject: &Subject<'_>, of: Of, views: &[View<'_>]) -> Views {
    if views.is_empty() {
        return Views::default();
    }
    let ast::Network { attributes, visibility, name: network_name, .. } = subject.network;
    let (ty, parameters, generics, bound) = (&subject.ty, subject.parameters(), subject.generics(), subject.bound());
    let elided = subject.borrowed(&quote!('_));
    let (name, cfg, function) = (of.type_name(subject.network), cfg(attributes), format_ident!("{}", of.function()));
    let output = quote!(<#ty as ::cnn_core::network::Network>::Output);
    let fields = views.iter().map(|View { name, shape, documentation, .. }| {
        let text = match of {
            Of::Heads => format!(" What the branch `{name}` made{documentation}."),
            Of::Outputs => format!(" The output `{name}`{documentation}."),
        };
        quote! {
            #[doc = #text]
            #visibility #name: ::cnn_core::tensor::Part<'a, #shape>,
        }
    });
    let part = format_ident!("{}", if of == Of::Heads { "part" } else { "lying" });
    let parts = views.iter().map(|View { name, first, .. }| quote!(#name: output.#part(#first)));
    let about = match of {
        Of::Heads => format!(" The output of [`{network_name}`], by the names of the branches of its last `concat`."),
        Of::Outputs => format!(" The outputs of [`{network_name}`], by their names."),
    };
    let what = format!(" {}", of.what());
    let losses = if of == Of::Outputs { losses(subject, views) } else { Views::default() };
    let (losses_declared, losses_implemented) = (losses.declared, losses.implemented);
    Views {
        declared: quote! {
            #(#cfg)*
            #[doc = #about]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            #[allow(dead_code)]
            #visibility struct #name<'a #(, #parameters)*> #bound {
                #(#fields)*
            }
            #losses_declared
        },
        implemented: quote! {
            impl #generics #ty #bound {
                #[doc = #what]
                #[must_use]
                #[allow(dead_code)]
                #visibility fn #function(output: ::cnn_core::tensor::Samples<'_, #output>) -> #name #elided {
                    #name { #(#parts),* }
                }
            }
            #losses_implemented
        },
    }
}

/// A loss of several outputs: the sum of one of each.
fn losses(subject: &Subject<'_>, views: &[View<'_>]) -> Views {
    let ast::Network { attributes, visibility, name: network_name, .. } = subject.network;
    let (ty, parameters, bound) = (&subject.ty, subject.parameters(), subject.bound());
    let (name, cfg) = (format_ident!("{network_name}Losses"), cfg(attributes));
    // Said of all sizes, so that rustc sees which one it is.
    let output = match subject.sizes {
        [] => quote!(<#ty as ::cnn_core::network::Network>::Output),
        _ => quote!(::cnn_core::network::Outputs<#ty>),
    };
    let free = |index: usize| {
        let mut name = format_ident!("L{index}");
        while subject.sizes.contains(&name) {
            name = format_ident!("{name}_");
        }
        name
    };
    let types: Vec<_> = (0..views.len()).map(free).collect();
    let [names, firsts, shapes]: [Vec<TokenStream>; 3] = [
        views
            .iter()
            .map(|view| {
                let name = view.name;
                quote!(#name)
            })
            .collect(),
        views
            .iter()
            .map(|view| {
                let first = &view.first;
                quote!(#first)
            })
            .collect(),
        views.iter().map(|view| view.shape.clone()).collect(),
    ];
    let texts = views.iter().map(|view| format!(" Of the output `{}`.", view.name));
    let indices: Vec<_> = (0..views.len()).map(Literal::usize_unsuffixed).collect();
    let about = format!(" A loss of the outputs of [`{network_name}`]: the sum of a loss of each.");
    Views {
        declared: quote! {
            #(#cfg)*
            #[doc = #about]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            #[allow(dead_code)]
            #visibility struct #name<#(#types),*> {
                #(
                    #[doc = #texts]
                    #visibility #names: #types,
                )*
            }
        },
        implemented: quote! {
            impl<#(#parameters,)* #(#types: ::cnn_core::loss::Loss<#shapes>),*> ::cnn_core::loss::Loss<#output>
                for #name<#(#types),*> #bound
            {
                fn divisors(&self, samples: usize) -> ::cnn_core::loss::Divisors {
                    ::cnn_core::loss::Divisors::of_outputs(::std::vec![
                        #(::cnn_core::loss::Loss::<#shapes>::divisors(&self.#names, samples)),*
                    ])
                }

                fn evaluate(
                    &self,
                    output: ::cnn_core::tensor::Samples<'_, #output>,
                    grad_output: ::cnn_core::tensor::SamplesMut<'_, #output>,
                ) -> ::core::result::Result<f32, ::cnn_core::Error> {
                    ::cnn_core::loss::Loss::evaluate_in(self, output, grad_output, &mut ::core::default::Default::default())
                }

                fn evaluate_in(
                    &self,
                    output: ::cnn_core::tensor::Samples<'_, #output>,
                    mut grad_output: ::cnn_core::tensor::SamplesMut<'_, #output>,
                    memory: &mut ::cnn_core::loss::LossMemory,
                ) -> ::core::result::Result<f32, ::cnn_core::Error> {
                    let mut sum = 0.0;
                    #(
                        sum += ::cnn_core::loss::output::of_output::<_, #shapes>(
                            &self.#names, output, #firsts, memory, #indices
                        )?;
                    )*
                    #(
                        ::cnn_core::loss::output::write_gradient::<_, #shapes>(
                            memory, #indices, &mut grad_output, #firsts
                        );
                    )*
                    ::core::result::Result::Ok(sum)
                }
            }
        },
    }
}
