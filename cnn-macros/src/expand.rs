//! A plan as Rust: straight-line calls in the order of the layers, absolute paths, no `unsafe`. What becomes of LeNet-5 is
//! kept in `expansions/`.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Attribute, Meta};

use crate::fuse::flattened_channels;
use crate::layers::{Row, Settled, sizes_expression};
use crate::memory::{self, Place, Slots};
use crate::plan::{
    Constant, ConstantType, Kind, MapId, Plan, Run, Size, Step, StepId, custom_layer, map_type, ours, step_type,
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
    quote! {
        #declared
        #(#cfg)*
        const _: () = {
            #(#constants)*
            #(#layers)*
            #network_impl
            #derived
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
            let input = &plan.map(step.input).shape;
            let relu = step.run == Run::WithRelu;
            let settled = Settled { arguments, input, relu, flattened: flattened_channels(plan, index) };
            let (module, layer_trait) = names(row);
            let constants = (row.constants)(&settled);
            let rule = rule::twin(arguments, input, &plan.map(step.output).shape);
            quote! {
                struct #name;
                impl ::cnn_core::layer::#module::#layer_trait for #name { #constants }
                #rule
            }
        }
        Kind::Custom(path) => {
            let input = map_type(plan, plan.map(step.input));
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
    let sum = |slots: &Slots, pass: Option<&Pass<'_>>| {
        let workspaces = pass.into_iter().flat_map(|pass| customs(plan).map(|index| pass.workspace_len(index)));
        let sizes: Vec<_> = slots.sizes.iter().map(Size::to_token_stream).chain(workspaces).collect();
        if sizes.is_empty() { quote!(0) } else { quote!(#(::cnn_core::network::aligned(#sizes))+*) }
    };
    let (evaluation_sum, training_sum) = (sum(&evaluation, Some(&evaluate)), sum(&training, Some(&train)));
    let gradient_sum = sum(&gradient, None);
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
    let [input, output] = [step.input, step.output].map(|map| sizes_expression(&plan.map(map).shape));
    // Maps are numbered as the steps that make them, counted from 1.
    let input_map = step.input;
    let reads = plan.steps.iter().position(|step| step.output == input_map).map_or(0, |writer| writer + 1);
    let operation = operation(plan, index);
    quote!(::cnn_core::network::Step {
        path: #path, layer: #layer, operation: #operation, inputs: &[#reads], input: #input, output: #output,
    })
}

/// The code of a pass: which slots its maps have, and calls.
struct Pass<'a> {
    plan: &'a Plan,
    values: &'a Slots,
    gradients: &'a Slots,
    /// Whether no backward pass follows.
    evaluates: bool,
}

impl Pass<'_> {
    fn forward(&self) -> TokenStream {
        let name = format_ident!("{}", if self.evaluates { "evaluate" } else { "forward_steps" });
        let split = self.split_owned(false);
        let (owned, samples) = (used("owned", !split.is_empty()), self.samples(false));
        let calls = self.plan.steps.iter().enumerate().map(|(index, step)| self.forward_call(index, step));
        quote! {
            fn #name(
                pass: &mut ::cnn_core::layer::Pass<'_>,
                #samples: usize,
                #owned: ::cnn_core::layer::Owned<'_>,
                input: &[f32],
                output: &mut [f32],
            ) {
                #split
                #(#calls)*
            }
        }
    }

    fn forward_call(&self, index: StepId, step: &Step) -> TokenStream {
        let name = step_type(index);
        let at = Literal::usize_unsuffixed(index);
        let parameters = self.parameters(index, "p", &quote!(&[]));
        let (input, output) = (self.read(step.input), self.write(step.output));
        match &step.kind {
            Kind::Layer { row, .. } => {
                let (module, _) = names(row);
                match step.run {
                    Run::View => TokenStream::new(),
                    Run::InPlace => {
                        quote!(::cnn_core::layer::#module::forward_in_place::<#name>(pass.at(#at), #output);)
                    }
                    Run::Apart | Run::WithRelu => {
                        let parameters = if row.stateful { self.owned(index) } else { parameters };
                        quote! {
                            ::cnn_core::layer::#module::forward::<#name>(pass.at(#at), #parameters, #input, #output);
                        }
                    }
                }
            }
            Kind::Custom(_) => {
                let (custom, owned) = (custom_layer(index), self.owned(index));
                let function = format_ident!("{}", if self.evaluates { "evaluate" } else { "forward" });
                quote!((#custom.#function)(pass.at(#at), #owned, #input, #output);)
            }
        }
    }

    fn backward(&self) -> TokenStream {
        let split = self.split_owned(true);
        let (owned, samples) = (used("owned", !split.is_empty()), self.samples(true));
        let split_grad_parameters = self.split_parameters(&quote!(grad_parameters), "q", &quote!(split));
        let grad_parameters = used("grad_parameters", split_grad_parameters.is_some());
        let steps = self.plan.steps.iter().enumerate().rev();
        let calls = steps.map(|(index, step)| self.backward_call(index, step));
        quote! {
            fn backward_steps(
                pass: &mut ::cnn_core::layer::Pass<'_>,
                #samples: usize,
                #owned: ::cnn_core::layer::Owned<'_>,
                input: &[f32],
                output: &[f32],
                grad_output: &mut [f32],
                grad_input: ::core::option::Option<::cnn_core::layer::GradInput<'_>>,
                #grad_parameters: &mut [f32],
            ) {
                #split
                #split_grad_parameters
                #(#calls)*
            }
        }
    }

    fn backward_call(&self, index: StepId, step: &Step) -> TokenStream {
        let name = step_type(index);
        let at = Literal::usize_unsuffixed(index);
        let parameters = self.parameters(index, "p", &quote!(&[]));
        let grad_parameters = self.parameters(index, "q", &quote!(&mut []));
        let (input, output) = (self.read(step.input), self.read(step.output));
        let grad_output = self.gradient(step.output);
        let grad_input = match self.gradients.place(self.plan, step.input) {
            Place::Input => quote!(grad_input),
            _ => {
                let gradient = self.gradient(step.input);
                quote!(::core::option::Option::Some(::cnn_core::layer::GradInput::store(#gradient)))
            }
        };
        match &step.kind {
            Kind::Layer { row, .. } => {
                let (module, _) = names(row);
                match step.run {
                    Run::View => TokenStream::new(),
                    Run::InPlace => quote! {
                        ::cnn_core::layer::#module::backward_in_place::<#name>(pass.at(#at), #output, #grad_output);
                    },
                    Run::Apart | Run::WithRelu => {
                        let parameters = if row.stateful { self.owned(index) } else { parameters };
                        quote! {
                            ::cnn_core::layer::#module::backward::<#name>(
                                pass.at(#at), #parameters, #input, #output, #grad_output, #grad_input,
                                #grad_parameters,
                            );
                        }
                    }
                }
            }
            Kind::Custom(_) => {
                let (custom, owned) = (custom_layer(index), self.owned(index));
                let grad_input = match self.gradients.place(self.plan, step.input) {
                    Place::Input => quote!(grad_input.map(|gradient| gradient.values)),
                    _ => {
                        let gradient = self.gradient(step.input);
                        quote!(::core::option::Option::Some(#gradient))
                    }
                };
                quote! {
                    (#custom.backward)(
                        pass.at(#at), #owned, #input, #output, #grad_output, #grad_input, #grad_parameters,
                    );
                }
            }
        }
    }

    /// What cuts all that the network owns into what its steps own.
    fn split_owned(&self, backward: bool) -> TokenStream {
        let parameters = self.split_parameters(&quote!(owned.parameters), "p", &quote!(split_ref));
        let owners: Vec<_> = owners(self.plan).collect();
        let per_batch = (!owners.is_empty()).then(|| {
            let operations: Vec<_> = owners.iter().map(|index| operation(self.plan, *index)).collect();
            let (state, saved) = (
                owners.iter().map(|index| format_ident!("t{index}")),
                owners.iter().map(|index| format_ident!("k{index}")),
            );
            quote! {
                let [#(#state),*] = ::cnn_core::kernel::buffer::split(
                    owned.state,
                    [#(const { #operations.state_count() }),*],
                );
                let [#(#saved),*] = ::cnn_core::kernel::buffer::split(
                    owned.saved,
                    [#(const { #operations.saved() }),*],
                );
            }
        });
        let per_sample = self.split_workspace(backward);
        quote!(#parameters #per_batch #per_sample)
    }

    /// What cuts trainable values, or their gradient, into the steps'.
    fn split_parameters(&self, from: &TokenStream, letter: &str, split: &TokenStream) -> Option<TokenStream> {
        let steps = || self.plan.steps.iter().enumerate().filter(|(_, step)| step.has_parameters());
        let parts = steps().map(|(index, _)| format_ident!("{letter}{index}"));
        let counts = steps().map(|(index, step)| match &step.cost {
            Some(cost) => Literal::u128_unsuffixed(cost.parameters).into_token_stream(),
            None => {
                let operation = operation(self.plan, index);
                quote!(const { #operation.parameter_count() })
            }
        });
        steps()
            .next()
            .is_some()
            .then(|| quote!(let [#(#parts),*] = ::cnn_core::kernel::buffer::#split(#from, [#(#counts),*]);))
    }

    /// Maps, the workspaces of users' layers, and backwards the gradients of maps.
    fn split_workspace(&self, backward: bool) -> Option<TokenStream> {
        let names = |letter: &str, slots: &Slots| -> Vec<Ident> {
            (0..slots.sizes.len()).map(|slot| format_ident!("{letter}{slot}")).collect()
        };
        let mut slots = names("v", self.values);
        let mut sizes: Vec<_> = self.values.sizes.iter().map(Size::to_token_stream).collect();
        slots.extend(customs(self.plan).map(|index| format_ident!("w{index}")));
        sizes.extend(customs(self.plan).map(|index| self.workspace_len(index)));
        if backward {
            slots.extend(names("g", self.gradients));
            sizes.extend(self.gradients.sizes.iter().map(Size::to_token_stream));
        }
        (!slots.is_empty()).then(|| {
            quote! {
                let [#(#slots),*] = ::cnn_core::kernel::buffer::split(
                    owned.workspace,
                    [#((samples * ::cnn_core::network::aligned(#sizes))),*],
                );
            }
        })
    }

    fn samples(&self, backward: bool) -> Ident {
        let slots = self.values.sizes.len() + if backward { self.gradients.sizes.len() } else { 0 };
        used("samples", slots > 0 || customs(self.plan).next().is_some())
    }

    fn parameters(&self, index: StepId, letter: &str, none: &TokenStream) -> TokenStream {
        if self.plan.steps[index].has_parameters() {
            format_ident!("{letter}{index}").into_token_stream()
        } else {
            none.clone()
        }
    }

    /// What a layer with state, or of the user's, owns.
    fn owned(&self, index: StepId) -> TokenStream {
        let parameters = self.parameters(index, "p", &quote!(&[]));
        let [state, saved, workspace] = ["t", "k", "w"].map(|letter| format_ident!("{letter}{index}"));
        let workspace = match self.plan.steps[index].kind {
            Kind::Layer { .. } => quote!(&mut []),
            Kind::Custom(_) => {
                let len = self.workspace_len(index);
                quote!(&mut #workspace[..samples * #len])
            }
        };
        quote!(::cnn_core::layer::Owned {
            parameters: #parameters, state: #state, saved: #saved, workspace: #workspace,
        })
    }

    /// Values per sample of a user's layer's workspace.
    fn workspace_len(&self, index: StepId) -> TokenStream {
        let (custom, field) = (
            custom_layer(index),
            format_ident!("{}", if self.evaluates { "evaluation_workspace" } else { "workspace" }),
        );
        quote!(#custom.#field)
    }

    fn read(&self, map: MapId) -> TokenStream {
        match self.values.place(self.plan, map) {
            Place::Input => quote!(input),
            Place::Output => quote!(output),
            Place::Slot(slot) => {
                let slice = self.slice("v", slot, map);
                quote!(&#slice)
            }
        }
    }

    fn write(&self, map: MapId) -> TokenStream {
        match self.values.place(self.plan, map) {
            Place::Input => quote!(input),
            Place::Output => quote!(output),
            Place::Slot(slot) => {
                let slice = self.slice("v", slot, map);
                quote!(&mut #slice)
            }
        }
    }

    fn gradient(&self, map: MapId) -> TokenStream {
        match self.gradients.place(self.plan, map) {
            Place::Input => quote!(grad_input),
            Place::Output => quote!(grad_output),
            Place::Slot(slot) => {
                let slice = self.slice("g", slot, map);
                quote!(&mut #slice)
            }
        }
    }

    fn slice(&self, letter: &str, slot: usize, map: MapId) -> TokenStream {
        let (slot, len) = (format_ident!("{letter}{slot}"), self.plan.map(map).shape.len());
        match len {
            Size::Known(_) => quote!(#slot[..samples * #len]),
            Size::Const(_) => quote!(#slot[..samples * const { #len }]),
        }
    }
}

/// The name of an argument, as rustc wants it where nothing uses it.
fn used(name: &str, used: bool) -> Ident {
    if used { format_ident!("{name}") } else { format_ident!("_{name}") }
}

fn customs(plan: &Plan) -> impl Iterator<Item = StepId> + '_ {
    let is_custom = |(_, step): &(StepId, &Step)| matches!(step.kind, Kind::Custom(_));
    plan.steps.iter().enumerate().filter(is_custom).map(|(index, _)| index)
}

/// Steps that own state or values of a batch.
fn owners(plan: &Plan) -> impl Iterator<Item = StepId> + '_ {
    let owns = |(_, step): &(StepId, &Step)| step.row().is_none_or(|row| row.stateful);
    plan.steps.iter().enumerate().filter(owns).map(|(index, _)| index)
}

/// The layer of a step as data.
fn operation(plan: &Plan, index: StepId) -> TokenStream {
    match &plan.steps[index].kind {
        Kind::Custom(_) => {
            let custom = custom_layer(index);
            quote!(#custom.operation)
        }
        Kind::Layer { row, .. } => {
            let ((module, layer_trait), name) = (names(row), step_type(index));
            quote_spanned!(ours(plan.steps[index].span)=> <#name as ::cnn_core::layer::#module::#layer_trait>::OPERATION)
        }
    }
}

/// The module and the trait of a layer: `max_pool2d`, `MaxPool2d`.
fn names(row: &Row) -> (Ident, Ident) {
    if let Some((module, layer_trait)) = row.family {
        return (format_ident!("{module}"), format_ident!("{layer_trait}"));
    }
    let camel: String = row.name.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
    (format_ident!("{}", row.name), format_ident!("{camel}"))
}
