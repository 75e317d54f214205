//! The call of each step, forward and backward.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote};

use crate::plan::place::{Home, gradient_home, home};
use crate::plan::{JoinKind, Kind, MapId, Run, Step, StepId};
use crate::plan::{custom_layer, step_type};
use crate::size::Size;
use crate::write::names::names;
use crate::write::pass::{Of, Pass, adders};
use crate::write::step::{fused, matmul};

impl Pass<'_> {
    pub(crate) fn forward_call(&self, index: StepId, step: &Step) -> TokenStream {
        let name = self.type_of(index);
        let at = Literal::usize_unsuffixed(index);
        match &step.kind {
            Kind::Layer { row, .. } => {
                let (module, _) = names(row);
                let own = if step.owns() { self.owned(index) } else { self.parameters(index, "p", &quote!(&[])) };
                match step.run {
                    Run::View => TokenStream::new(),
                    Run::InPlace => {
                        let output = self.write(step.output);
                        quote!(__layer::#module::forward_in_place::<#name>(pass.at(#at), #output);)
                    }
                    Run::Apart | Run::WithActivation => {
                        let (input, output) = (self.read(step.input()), self.write(step.output));
                        quote! {
                            __layer::#module::forward::<#name>(pass.at(#at), #own, #input, #output);
                        }
                    }
                }
            }
            Kind::Custom(_) => {
                let (custom, owned) = (custom_layer(index), self.owned(index));
                let (input, output) = (self.read(step.input()), self.write(step.output));
                let function = format_ident!("{}", if let Of::Training = self.of { "forward" } else { "evaluate" });
                quote!((#custom.#function)(pass.at(#at), #owned, #input, #output);)
            }
            Kind::Join(join) => match join.kind {
                JoinKind::Add => self.add_forward(index, step),
                JoinKind::Multiply => self.multiply_forward(step),
                JoinKind::Concat => self.concat_forward(step),
                JoinKind::Matmul => self.matmul_forward(index, step),
                JoinKind::Outputs => self.outputs_forward(step),
            },
            Kind::Map(_) => {
                let count = Literal::usize_unsuffixed(step.inputs.len());
                let (maps, output) = (step.inputs.iter().map(|map| self.read(*map)), self.write(step.output));
                quote!(__layer::map::forward::<#name, #count>(pass.at(#at), [#(#maps),*], #output);)
            }
            Kind::Take { first } => self.take_forward(step, first),
        }
    }

    /// A step that makes its map a second time, on the way back.
    pub(crate) fn again_call(&self, index: StepId, step: &Step) -> TokenStream {
        if !step.owns() {
            return self.forward_call(index, step);
        }
        let (name, at) = (step_type(index), Literal::usize_unsuffixed(index));
        let (own, input, output) = (self.owned(index), self.read(step.input()), self.write(step.output));
        quote!(__layer::batch_norm2d::forward_again::<#name>(pass.at(#at), #own, #input, #output);)
    }

    /// The way back of a step; where its weights are other steps' too, their gradients are added up, from the last step on.
    pub(crate) fn backward_call(&self, index: StepId, step: &Step) -> TokenStream {
        let call = self.backward_of(index, step);
        let grad_parameters = self.parameters(index, "q", &quote!(&mut []));
        match self.added(index) {
            Some(apart) => quote!(#call __layer::share::add(#apart, #grad_parameters);),
            None => call,
        }
    }

    /// Where a step leaves the gradient of weights of which a later step has left one before.
    fn added(&self, index: StepId) -> Option<Ident> {
        let owner = self.plan.owner(index);
        let mut users = adders(self.plan).filter(|user| self.plan.owner(*user) == owner);
        let first = users.next()?;
        let last = users.last().unwrap_or(first);
        (index != last && self.plan.steps[index].has_parameters()).then(|| format_ident!("s{first}"))
    }

    /// Where a step leaves the gradient of its weights.
    fn grad_parameters(&self, index: StepId) -> TokenStream {
        match self.added(index) {
            Some(apart) => quote!(#apart),
            None => self.parameters(index, "q", &quote!(&mut [])),
        }
    }

    fn backward_of(&self, index: StepId, step: &Step) -> TokenStream {
        let name = step_type(index);
        let at = Literal::usize_unsuffixed(index);
        let grad_parameters = self.grad_parameters(index);
        match &step.kind {
            Kind::Layer { row, .. } => {
                let (module, _) = names(row);
                let own = if step.owns() { self.owned(index) } else { self.parameters(index, "p", &quote!(&[])) };
                if step.run == Run::View {
                    return TokenStream::new();
                }
                // What is not read is not there any more.
                let input = if step.reads_input_backwards(0) { self.read(step.input()) } else { quote!(&[]) };
                let output = if step.reads_output_backwards() { self.read(step.output) } else { quote!(&[]) };
                let grad_output = self.gradient(step.output);
                match step.run {
                    Run::View => TokenStream::new(),
                    Run::InPlace => quote! {
                        __layer::#module::backward_in_place::<#name>(pass.at(#at), #output, #grad_output);
                    },
                    Run::Apart | Run::WithActivation if self.shares(step, 0) => quote! {
                        __layer::#module::backward_in_place::<#name>(
                            pass.at(#at), #own, #input, #grad_output, #grad_parameters,
                        );
                    },
                    Run::Apart | Run::WithActivation => {
                        let grad_input = self.grad_input(step, 0);
                        quote! {
                            __layer::#module::backward::<#name>(
                                pass.at(#at), #own, #input, #output, #grad_output, #grad_input, #grad_parameters,
                            );
                        }
                    }
                }
            }
            Kind::Custom(_) => self.custom_backward(index, step),
            Kind::Join(join) => match join.kind {
                JoinKind::Add => self.add_backward(index, step),
                JoinKind::Multiply => self.multiply_backward(step),
                JoinKind::Concat => self.concat_backward(step),
                JoinKind::Matmul => self.matmul_backward(index, step),
                JoinKind::Outputs => self.outputs_backward(step),
            },
            Kind::Map(_) => self.map_backward(index, step),
            Kind::Take { first } => self.take_backward(step, first),
        }
    }

    fn map_backward(&self, index: StepId, step: &Step) -> TokenStream {
        let name = step_type(index);
        let [at, count] = [index, step.inputs.len()].map(Literal::usize_unsuffixed);
        let none = || quote!(&[]);
        let maps = step
            .inputs
            .iter()
            .enumerate()
            .map(|(branch, map)| if step.reads_input_backwards(branch) { self.read(*map) } else { none() });
        let output = if step.reads_output_backwards() { self.read(step.output) } else { none() };
        let maps: Vec<_> = maps.collect();
        let grad_output = self.grad_rows(step.output);
        let call = |wanted: &dyn Fn(usize) -> bool| {
            let gradients = step.inputs.iter().enumerate().map(|(branch, map)| {
                if !wanted(branch) {
                    return quote!((__Option::None, 0));
                }
                let (gradient, stride) = (self.grad_input(step, branch), self.gradient_stride(*map));
                quote!((#gradient, #stride))
            });
            quote! {
                __layer::map::backward::<#name, #count>(
                    pass.at(#at), [#(#maps),*], #output, #grad_output, [#(#gradients),*],
                );
            }
        };
        // Gradients that are parts of one, such as that of a concatenation, are written one after the other.
        let bases: Vec<_> = step.inputs.iter().map(|map| gradient_home(self.plan, *map).base).collect();
        let are_apart = bases.iter().enumerate().all(|(index, base)| !bases[..index].contains(base));
        if are_apart {
            call(&|_| true)
        } else {
            (0..bases.len()).map(|branch| call(&|other| other == branch)).collect()
        }
    }

    /// Where a step's gradient of an input goes.
    fn grad_input(&self, step: &Step, branch: usize) -> TokenStream {
        let (map, adds) = (step.inputs[branch], step.adds[branch]);
        if self.gradient_is_callers(map) {
            return match (self.lends_grad_input(), adds) {
                (false, _) => quote!(grad_input),
                (true, false) => quote!(__layer::GradInput::lend(&mut grad_input)),
                (true, true) => quote!(__layer::GradInput::lend_to_add(&mut grad_input)),
            };
        }
        let function = format_ident!("{}", if adds { "add" } else { "store" });
        let gradient = self.gradient(map);
        quote!(__Option::Some(__layer::GradInput::#function(#gradient)))
    }

    /// A user's layer stores its gradient; where it is to be added, it gets memory of its own.
    fn custom_backward(&self, index: StepId, step: &Step) -> TokenStream {
        let at = Literal::usize_unsuffixed(index);
        let grad_parameters = self.grad_parameters(index);
        let (custom, owned, map) = (custom_layer(index), self.owned(index), step.input());
        let (input, output) = (self.read(map), self.read(step.output));
        let grad_output = self.gradient(step.output);
        let call = |grad_input: TokenStream| {
            quote! {
                (#custom.backward)(
                    pass.at(#at), #owned, #input, #output, #grad_output, #grad_input, #grad_parameters,
                );
            }
        };
        let Some(block) = self.memory.apart(index) else {
            return call(if self.gradient_is_callers(map) {
                let grad_input = self.grad_input(step, 0);
                quote!(#grad_input.map(|gradient| gradient.values))
            } else {
                let gradient = self.gradient(map);
                quote!(__Option::Some(#gradient))
            });
        };
        let apart = self.part(block, 0, &quote!(&mut));
        let wanted = if self.gradient_is_callers(map) {
            quote!(grad_input.is_some().then_some(#apart))
        } else {
            quote!(__Option::Some(#apart))
        };
        let (call, grad_input) = (call(wanted), self.grad_input(step, 0));
        let (channels, rows) = (self.channels(map), rows(&self.part(block, 0, &quote!(&)), 0, false));
        quote! {
            #call
            __layer::add::backward(#channels, #rows, #grad_input, 0);
        }
    }

    fn add_forward(&self, index: StepId, step: &Step) -> TokenStream {
        let channels = self.channels(step.output);
        let output = self.rows_mut(step.output);
        let fused = |last: bool| fused(self.plan, self.plan.applied(index).filter(|_| last));
        let mut others = self.plan.apart(index).map(|branch| (branch, &step.inputs[branch]));
        let mut calls = TokenStream::new();
        let last = step.inputs.len() - 1;
        if step.into.is_none()
            && let (Some((_, first)), Some((branch, second))) = (others.next(), others.next())
        {
            let (first, second, fused) = (self.rows(*first), self.rows(*second), fused(branch == last));
            calls.extend(quote!(__layer::add::forward(#channels, #fused, #first, #second, #output);));
        }
        let others: Vec<_> = others.collect();
        for (index, (_, map)) in others.iter().enumerate() {
            let (map, fused) = (self.rows(**map), fused(index + 1 == others.len()));
            calls.extend(quote!(__layer::add::accumulate(#channels, #fused, #map, #output);));
        }
        calls
    }

    fn add_backward(&self, index: StepId, step: &Step) -> TokenStream {
        let channels = self.channels(step.output);
        let mut calls = TokenStream::new();
        if let Some(activation) = self.plan.applied(index) {
            let (fused, output, grad_output) =
                (fused(self.plan, Some(activation)), self.rows(step.output), self.grad_rows_mut(step.output));
            calls.extend(quote!(__layer::add::rectify_backward(#channels, #fused, #output, #grad_output);));
        }
        let grad_output = self.grad_rows(step.output);
        for branch in 0..step.inputs.len() {
            if self.shares(step, branch) {
                continue;
            }
            let (grad_input, stride) = (self.grad_input(step, branch), self.gradient_stride(step.inputs[branch]));
            calls.extend(quote! {
                __layer::add::backward(#channels, #grad_output, #grad_input, #stride);
            });
        }
        calls
    }

    fn multiply_forward(&self, step: &Step) -> TokenStream {
        let (channels, cells) = (self.channels(step.output), self.cells(step));
        let [a, b] = [0, 1].map(|branch| self.rows(step.inputs[branch]));
        let output = self.rows_mut(step.output);
        quote!(__layer::multiply::forward(#channels, #cells, #a, #b, #output);)
    }

    /// The gradient of a factor that shares the product's memory comes last: it is made of it in place.
    fn multiply_backward(&self, step: &Step) -> TokenStream {
        let channels = self.channels(step.output);
        let [a_cells, b_cells] = [0, 1].map(|branch| self.cells_of(step.inputs[branch]));
        let (mut calls, mut last) = (TokenStream::new(), TokenStream::new());
        for (branch, cells) in [(0, quote!([#a_cells, #b_cells])), (1, quote!([#b_cells, #a_cells]))] {
            let other = self.rows(step.inputs[1 - branch]);
            if self.shares(step, branch) {
                let gradient = self.grad_rows_mut(step.output);
                last = quote!(__layer::multiply::backward_in_place(#channels, #cells, #other, #gradient););
                continue;
            }
            let grad_output = self.grad_rows(step.output);
            let (grad_input, stride) = (self.grad_input(step, branch), self.gradient_stride(step.inputs[branch]));
            calls.extend(quote! {
                __layer::multiply::backward(
                    #channels, #cells, #other, #grad_output, #grad_input, #stride,
                );
            });
        }
        quote!(#calls #last)
    }

    fn matmul_forward(&self, index: StepId, step: &Step) -> TokenStream {
        let (geometry, at) = (matmul(self.plan, step), Literal::usize_unsuffixed(index));
        let [first, second] = [0, 1].map(|branch| self.read(step.inputs[branch]));
        let output = self.write(step.output);
        quote!(__layer::matmul::forward(const { #geometry }, pass.at(#at), #first, #second, #output);)
    }

    fn matmul_backward(&self, index: StepId, step: &Step) -> TokenStream {
        let (geometry, at) = (matmul(self.plan, step), Literal::usize_unsuffixed(index));
        let calls = [(0, "backward_first"), (1, "backward_second")].map(|(branch, function)| {
            let function = format_ident!("{function}");
            let other = self.read(step.inputs[1 - branch]);
            let (grad_output, grad_input) = (self.gradient(step.output), self.grad_input(step, branch));
            quote! {
                __layer::matmul::#function(
                    const { #geometry }, pass.at(#at), #other, #grad_output, #grad_input,
                );
            }
        });
        calls.into_iter().collect()
    }

    fn concat_forward(&self, step: &Step) -> TokenStream {
        let mut calls = TokenStream::new();
        let whole = home(self.plan, step.output);
        for (map, first) in self.firsts(step) {
            if self.lies_in(step, map, &first) {
                continue;
            }
            let channels = self.channels(map);
            let (from, to) = (self.rows(map), self.write(step.output));
            let stride = self.width(whole, step.output);
            let to = quote!(__layer::RowsMut::strided(&mut (#to)[#first..], #stride));
            calls.extend(quote!(__layer::concat::forward(#channels, #from, #to);));
        }
        calls
    }

    fn concat_backward(&self, step: &Step) -> TokenStream {
        let mut calls = TokenStream::new();
        let whole = gradient_home(self.plan, step.output);
        for (branch, (map, first)) in self.firsts(step).into_iter().enumerate() {
            if self.lies_in(step, map, &first) {
                continue;
            }
            let channels = self.channels(map);
            let (from, stride) = (self.gradient(step.output), self.width(whole, step.output));
            let from = quote!(__layer::Rows::strided(&(#from)[#first..], #stride));
            let (grad_input, to_stride) = (self.grad_input(step, branch), self.gradient_stride(map));
            calls.extend(quote!(__layer::concat::backward(#channels, #from, #grad_input, #to_stride);));
        }
        calls
    }

    /// Each map is copied to its values of each sample.
    fn outputs_forward(&self, step: &Step) -> TokenStream {
        let all = self.len(step.output);
        let calls = step.inputs.iter().zip(self.plan.offsets(&step.inputs)).map(|(map, first)| {
            let (len, from, to) = (self.len(*map), self.read(*map), self.write(step.output));
            let to = quote!(__layer::RowsMut::strided(&mut (#to)[#first..], #all));
            quote!(__layer::concat::forward(#len, __layer::Rows::dense(#from), #to);)
        });
        calls.collect()
    }

    fn outputs_backward(&self, step: &Step) -> TokenStream {
        let all = self.len(step.output);
        let maps = step.inputs.iter().zip(self.plan.offsets(&step.inputs)).enumerate();
        let calls = maps.map(|(branch, (map, first))| {
            let (len, from, grad_input) = (self.len(*map), self.gradient(step.output), self.grad_input(step, branch));
            let from = quote!(__layer::Rows::strided(&(#from)[#first..], #all));
            quote!(__layer::concat::backward(#len, #from, #grad_input, 0);)
        });
        calls.collect()
    }

    /// An input is copied from its values of each sample.
    fn take_forward(&self, step: &Step, first: &Size) -> TokenStream {
        let (len, all) = (self.len(step.output), self.len(step.input()));
        let (from, to) = (self.read(step.input()), self.write(step.output));
        let from = quote!(__layer::Rows::strided(&(#from)[#first..], #all));
        quote!(__layer::concat::forward(#len, #from, __layer::RowsMut::dense(#to));)
    }

    fn take_backward(&self, step: &Step, first: &Size) -> TokenStream {
        let (len, all, from) = (self.len(step.output), self.len(step.input()), self.gradient(step.output));
        quote! {
            __layer::concat::backward(
                #len,
                __layer::Rows::dense(#from),
                __layer::GradInput::lend_from(&mut grad_input, #first),
                #all,
            );
        }
    }

    /// Values of a map.
    fn len(&self, map: MapId) -> TokenStream {
        self.plan.map(map).shape.len().to_token_stream()
    }

    /// Each map of a concatenation with the first channel that it takes.
    fn firsts(&self, step: &Step) -> Vec<(MapId, Size)> {
        step.inputs.iter().copied().zip(self.plan.firsts(&step.inputs)).collect()
    }

    /// Whether a branch is where the concatenation has it already.
    fn lies_in(&self, step: &Step, map: MapId, first: &Size) -> bool {
        let part = self.plan.map(crate::plan::place::root(self.plan, map)).part;
        part.is_some_and(|part| part.of == step.output && Some(part.first) == first.known())
    }

    /// Whether the gradient of an input is that of the output, in the same place.
    fn shares(&self, step: &Step, branch: usize) -> bool {
        let cell = crate::plan::place::cell(self.plan, step.inputs[branch]);
        self.plan.map(cell).shares == Some(step.output)
    }

    fn channels(&self, map: MapId) -> TokenStream {
        self.plan.map(map).shape.sizes()[0].to_token_stream()
    }

    /// Cells of a map: height times width.
    fn cells_of(&self, map: MapId) -> TokenStream {
        let [_, height, width] = self.plan.map(map).shape.sizes();
        match (height.known(), width.known()) {
            (Some(height), Some(width)) => Literal::u64_unsuffixed(height * width).into_token_stream(),
            _ => quote!(#height * #width),
        }
    }

    fn cells(&self, step: &Step) -> TokenStream {
        let [a, b] = [0, 1].map(|branch| self.cells_of(step.inputs[branch]));
        quote!([#a, #b])
    }

    /// Channels from a cell to the next where a map lies.
    fn width(&self, home: Home, map: MapId) -> TokenStream {
        if home.stride > 0 { Literal::u64_unsuffixed(home.stride).into_token_stream() } else { self.channels(map) }
    }

    fn rows(&self, map: MapId) -> TokenStream {
        rows(&self.read(map), home(self.plan, map).stride, false)
    }

    fn rows_mut(&self, map: MapId) -> TokenStream {
        rows(&self.write(map), home(self.plan, map).stride, true)
    }

    fn grad_rows(&self, map: MapId) -> TokenStream {
        rows(&self.gradient(map), gradient_home(self.plan, map).stride, false)
    }

    fn grad_rows_mut(&self, map: MapId) -> TokenStream {
        rows(&self.gradient(map), gradient_home(self.plan, map).stride, true)
    }

    fn gradient_stride(&self, map: MapId) -> TokenStream {
        Literal::u64_unsuffixed(gradient_home(self.plan, map).stride).into_token_stream()
    }
}

fn rows(slice: &TokenStream, stride: u64, mutable: bool) -> TokenStream {
    let name = format_ident!("{}", if mutable { "RowsMut" } else { "Rows" });
    if stride == 0 {
        return quote!(__layer::#name::dense(#slice));
    }
    let stride = Literal::u64_unsuffixed(stride);
    quote!(__layer::#name::strided(#slice, #stride))
}
