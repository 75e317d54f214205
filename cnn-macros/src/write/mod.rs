//! A plan as Rust: straight-line calls in the order of the layers, absolute paths, no `unsafe`. What becomes of LeNet-5 is
//! kept in `expansions/`.

mod declaration;
mod docs;
mod expression;
pub(crate) mod fallback;
mod family;
mod inputs;
mod loss;
mod names;
mod pass;
mod rule;
mod step;
mod views;

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};

use crate::parse::ast;
use crate::plan::{Constant, ConstantType, Plan, StepId, cut, memory};
use crate::size::sizes_expression;
use crate::span::ours;
use declaration::{cfg, declaration, derived};
pub(crate) use family::family;
use names::{Subject, ends, modules};
use pass::{Of, Pass};
use step::{layer, needs, step_data};
use views::Views;

/// The type and its `Network`.
pub(crate) fn network(network: &ast::Network, plan: &Plan, predictor: &Plan) -> TokenStream {
    let subject = Subject::of(network);
    let declared = declaration(&subject, &docs::table(network, plan));
    let cfg = cfg(&network.attributes);
    let implemented = implemented(network, &subject.ty, &network.name.to_string(), plan, predictor);
    let derived = derived(&subject);
    let Views { declared: views_declared, implemented: views } = views::views(&subject, plan);
    let Views { declared: inputs_declared, implemented: inputs } = inputs::inputs(&subject, plan);
    let loss = loss::loss(&subject, plan, true);
    quote! {
        #declared
        #inputs_declared
        #views_declared
        #(#cfg)*
        const _: () = {
            #implemented
            #derived
            #inputs
            #loss
            #views
        };
    }
}

/// A network, or one of several sizes, as a type of this name: its `Network`, and what that needs.
fn implemented(network: &ast::Network, ty: &TokenStream, text: &str, plan: &Plan, predictor: &Plan) -> TokenStream {
    let constants = plan.constants.iter().map(|constant| {
        let Constant { name, report, of, value, end } = constant;
        let ty = match of {
            ConstantType::Given => quote!(::cnn_core::shape::check::Given),
            ConstantType::Real => quote!(::cnn_core::shape::check::Real),
            ConstantType::Made => quote!(::cnn_core::shape::check::Made),
        };
        // rustc underlines a call from the method's name to the bracket behind its arguments.
        let (method, arguments) = (quote_spanned!(report.span()=> .report), quote_spanned!(*end=> ()));
        // A number of any type is cast.
        let casts = (*of == ConstantType::Real)
            .then(|| quote!(#[allow(clippy::cast_precision_loss, clippy::cast_lossless, clippy::unnecessary_cast)]));
        quote! {
            #casts
            const #name: #ty = #value;
            const #report: () = #name #method #arguments;
        }
    });
    let check = quote_spanned!(ours(network.name.span())=> ::cnn_core::network::check::check::<#ty>);
    let layers = plan.steps.iter().enumerate().map(|(index, step)| layer(plan, index, step));
    let (frozen, frozen_layers) = step::frozen(plan, predictor);
    let network_impl = network_impl(ty, text, plan, predictor, &frozen);
    let modules = modules();
    quote! {
        #modules
        #(#constants)*
        #(#layers)*
        #frozen_layers
        #network_impl
        const _: () = #check();
    }
}

fn network_impl(ty: &TokenStream, text: &str, plan: &Plan, predictor: &Plan, frozen: &HashSet<StepId>) -> TokenStream {
    let [input, output] = ends(ty, plan);
    let ports = [("INPUTS", &plan.inputs), ("OUTPUTS", &plan.outputs)].map(|(name, ports)| {
        let (name, sizes) =
            (format_ident!("{name}"), ports.iter().map(|port| sizes_expression(&plan.map(port.map).shape)));
        (!ports.is_empty()).then(|| quote!(const #name: &'static [__shape::Sizes] = &[#(#sizes),*];))
    });
    let steps = plan.steps.iter().enumerate().map(|(index, step)| step_data(plan, index, step));
    let mistakes = plan.constants.iter().map(|Constant { name, .. }| quote!(#name.mistake().is_some()));
    let sound =
        (!plan.constants.is_empty()).then(|| quote!(const SOUND: bool = __network::check::none(&[#(#mistakes),*]);));
    // In statements: what a list of calls makes rustc would evaluate even in a network that is wrong.
    let needs = plan.steps.iter().enumerate().filter_map(|(index, step)| needs(plan, index, step));
    let (evaluation, training) = (memory::evaluation(plan), memory::training(plan));
    let prediction = memory::evaluation(predictor);
    let cuts = cut::cuts(plan, &evaluation, &training);
    let evaluate = Pass::new(plan, &evaluation, Of::Evaluation, &cuts);
    let train = Pass::new(plan, &training, Of::Training, &cuts);
    let predict = Pass::new(predictor, &prediction, Of::Prediction(frozen), &[]);
    let cuts = train.cuts(&evaluate);
    let [evaluation, training, prediction] = [&evaluate, &train, &predict].map(Pass::memory_len);
    let prepared = predict.prepared();
    let (prepare, predict) = (predict.prepare(), predict.predict());
    let (evaluate, forward, backward) = (evaluate.forward(), train.forward(), train.backward());
    quote! {
        impl __network::Network for #ty {
            type Input = #input;
            type Output = #output;
            #(#ports)*
            const NAME: &'static str = #text;
            const STEPS: &'static [__network::Step] = &[#(#steps),*];
            const MEMORY: __network::Memory = __network::Memory {
                evaluation: #evaluation,
                prediction: #prediction,
                training: #training,
            };
            #cuts
            #sound
            const STEP_NEEDS: __network::Needs = {
                let needs = __network::Needs::NONE;
                #(let needs = needs.max(#needs);)*
                needs
            };

            const STEP_PREPARED: __network::Prepared = {
                let prepared = __network::Prepared::NONE;
                #(let prepared = prepared.and(#prepared);)*
                prepared
            };

            fn from_weights(weights: __network::Weights<Self>) -> Self {
                Self { weights }
            }

            fn weights(&self) -> &__network::Weights<Self> {
                &self.weights
            }

            fn weights_mut(&mut self) -> &mut __network::Weights<Self> {
                &mut self.weights
            }

            #evaluate
            #forward
            #backward
            #prepare
            #predict
        }
    }
}
