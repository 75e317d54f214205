//! A plan as Rust: straight-line calls in the order of the layers, absolute paths, no `unsafe`. What becomes of LeNet-5 is
//! kept in `expansions/`.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Attribute, Meta};

use crate::fuse::flattened_channels;
use crate::heads::{self, Heads};
use crate::layers::{Row, Settled, sizes_expression};
use crate::memory;
use crate::pass::Pass;
use crate::place::home;
use crate::plan::{
    Constant, ConstantType, JoinKind, Kind, Plan, Step, StepId, custom_layer, map_type, ours, step_type,
};
use crate::{ast, docs, rule};

/// The type and its `Network`.
pub(crate) fn network(network: &ast::Network, plan: &Plan) -> TokenStream {
    let name = &network.name;
    let declared = declaration(network, &docs::table(network, plan));
    let cfg = cfg(&network.attributes);
    let constants = plan.constants.iter().map(|constant| {
        let Constant { name, report, of, value, end } = constant;
        let ty = match of {
            ConstantType::Given => quote!(::cnn_core::shape::check::Given),
            ConstantType::Made => quote!(::cnn_core::shape::check::Made),
        };
        // rustc underlines a call from the method's name to the bracket behind its arguments.
        let (method, arguments) = (quote_spanned!(report.span()=> .report), quote_spanned!(*end=> ()));
        quote! {
            const #name: #ty = #value;
            const #report: () = #name #method #arguments;
        }
    });
    let layers = plan.steps.iter().enumerate().map(|(index, step)| layer(plan, index, step));
    let network_impl = network_impl(name, plan);
    let derived = derived(network);
    let Heads { declared: heads_declared, implemented: heads } = heads::heads(network, plan);
    quote! {
        #declared
        #heads_declared
        #(#cfg)*
        const _: () = {
            #(#constants)*
            #(#layers)*
            #network_impl
            #derived
            #heads
        };
    }
}

/// The type itself, under the user's attributes.
pub(crate) fn declaration(network: &ast::Network, table: &[String]) -> TokenStream {
    let ast::Network { attributes, visibility, name, .. } = network;
    quote! {
        #(#attributes)*
        #(#[doc = #table])*
        #visibility struct #name {
            weights: ::cnn_core::network::Weights<Self>,
        }
    }
}

/// Attributes that take away all that is made, not only the type.
pub(crate) fn cfg(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"))
}

/// `Clone` and `Debug`, where the user does not derive them.
pub(crate) fn derived(network: &ast::Network) -> TokenStream {
    let name = &network.name;
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
            impl ::core::clone::Clone for #name {
                fn clone(&self) -> Self {
                    Self { weights: ::core::clone::Clone::clone(&self.weights) }
                }
            }
        }
    });
    let debug = (!derives("Debug")).then(|| {
        quote! {
            impl ::core::fmt::Debug for #name {
                fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    ::core::fmt::Debug::fmt(&self.weights, formatter)
                }
            }
        }
    });
    quote!(#clone #debug)
}

/// The type of a step, and the rule once more, by typenum.
fn layer(plan: &Plan, index: StepId, step: &Step) -> TokenStream {
    let name = step_type(index);
    match &step.kind {
        Kind::Layer { row, arguments } => {
            let input = &plan.map(step.input()).shape;
            let rectifier = plan.applied_rectifier(index);
            let layout = [step.input(), step.output].map(|map| home(plan, map).stride);
            let settled = Settled { arguments, input, rectifier, flattened: flattened_channels(plan, index), layout };
            let (module, layer_trait) = names(row);
            let constants = (row.constants)(&settled);
            let rule = rule::twin(arguments, input, &plan.map(step.output).shape);
            quote! {
                struct #name;
                impl ::cnn_core::layer::#module::#layer_trait for #name { #constants }
                #rule
            }
        }
        Kind::Join(_) => TokenStream::new(),
        Kind::Custom(path) => {
            let input = map_type(plan, plan.map(step.input()));
            let name = custom_layer(index);
            let value = quote_spanned!(ours(step.span)=> ::cnn_core::layer::custom::Custom::of::<#path, #input>());
            quote!(const #name: ::cnn_core::layer::custom::Custom = #value;)
        }
    }
}

fn network_impl(name: &Ident, plan: &Plan) -> TokenStream {
    let text = name.to_string();
    let (input, output) = (map_type(plan, &plan.maps[0]), map_type(plan, plan.map(plan.output)));
    let steps = plan.steps.iter().enumerate().map(|(index, step)| step_data(plan, index, step));
    let [evaluation, training, gradient] = [memory::evaluation, memory::training, memory::gradient].map(|f| f(plan));
    let evaluate = Pass { plan, values: &evaluation, gradients: &gradient, evaluates: true };
    let train = Pass { plan, values: &training, gradients: &gradient, evaluates: false };
    let (evaluation_sum, training_sum) = (evaluate.values_len(), train.values_len());
    let gradient_sum = train.gradients_len();
    let (evaluate, forward, backward) = (evaluate.forward(), train.forward(), train.backward());
    quote! {
        impl ::cnn_core::network::Network for #name {
            type Input = #input;
            type Output = #output;
            const NAME: &'static str = #text;
            const STEPS: &'static [::cnn_core::network::Step] = &[#(#steps),*];
            const MEMORY: ::cnn_core::network::Memory = ::cnn_core::network::Memory {
                evaluation: #evaluation_sum,
                training: #training_sum,
                gradient: #gradient_sum,
            };

            fn from_weights(weights: ::cnn_core::network::Weights<Self>) -> Self {
                Self { weights }
            }

            fn weights(&self) -> &::cnn_core::network::Weights<Self> {
                &self.weights
            }

            fn weights_mut(&mut self) -> &mut ::cnn_core::network::Weights<Self> {
                &mut self.weights
            }

            #evaluate
            #forward
            #backward
        }
    }
}

fn step_data(plan: &Plan, index: StepId, step: &Step) -> TokenStream {
    let (path, layer) = (&step.path, step.layer());
    let [input, output] = [step.input(), step.output].map(|map| sizes_expression(&plan.map(map).shape));
    // Maps are numbered as the steps that make them, counted from 1.
    let reads = step.inputs.iter().map(|map| plan.map(*map).writer.map_or(0, |writer| writer + 1));
    let reads = reads.map(Literal::usize_unsuffixed);
    let operation = operation(plan, index);
    quote!(::cnn_core::network::Step {
        path: #path, layer: #layer, operation: #operation, inputs: &[#(#reads),*], input: #input, output: #output,
    })
}

/// A step as data.
pub(crate) fn operation(plan: &Plan, index: StepId) -> TokenStream {
    match &plan.steps[index].kind {
        Kind::Custom(_) => {
            let custom = custom_layer(index);
            quote!(#custom.operation)
        }
        Kind::Layer { row, .. } => {
            let ((module, layer_trait), name) = (names(row), step_type(index));
            quote_spanned!(ours(plan.steps[index].span)=> <#name as ::cnn_core::layer::#module::#layer_trait>::OPERATION)
        }
        Kind::Join(join) => match join.kind {
            JoinKind::Add => quote!(::cnn_core::layer::Operation::Add),
            JoinKind::Multiply => quote!(::cnn_core::layer::Operation::Multiply),
            JoinKind::Concat => quote!(::cnn_core::layer::Operation::Concat),
        },
    }
}

/// The module and the trait of a layer: `max_pool2d`, `MaxPool2d`.
pub(crate) fn names(row: &Row) -> (Ident, Ident) {
    if let Some((module, layer_trait)) = row.family {
        return (format_ident!("{module}"), format_ident!("{layer_trait}"));
    }
    let camel: String = row.name.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
    (format_ident!("{}", row.name), format_ident!("{camel}"))
}
