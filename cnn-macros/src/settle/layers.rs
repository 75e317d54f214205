//! Steps that are layers: a row of the table, or a type of the user's.

use proc_macro2::Literal;
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{GenericArgument, PathArguments, Type, parse_quote};

use super::blocks::WORDS;
use super::constant::Meaning;
use super::limits::overflow;
use super::{Names, Walk, foreign};
use crate::error::nearest;
use crate::layers::{self, Arguments, FlatBy, Outcome, Row, Site};
use crate::parse::ast::Call;
use crate::plan::custom_layer;
use crate::plan::{INPUT, Kind, Map, MapId};
use crate::size::{Shape, Size};

impl Walk<'_, '_> {
    pub(super) fn call(&mut self, call: &Call, name: &str, names: &Names) {
        let Some(row) = layers::ROWS.iter().find(|row| call.name == row.name) else {
            self.unknown_layer(call);
            return;
        };
        let Some(arguments) = self.settle().arguments(call, row, name) else {
            // What works in place leaves the map as it is, whatever its options.
            self.current = self.current.filter(|_| row.in_place);
            return;
        };
        if let Some(text) = row.written {
            self.written(row, text, &arguments, call, names);
            return;
        }
        let row = row.instead.and_then(|instead| instead(&arguments)).unwrap_or(row);
        let input = self.current.map(|input| &self.plan.map(input).shape);
        if let Some(flat) = input.and_then(|input| layers::through_features(row, input, &arguments)) {
            if self.outcome(row, &arguments, call, name).is_some() {
                self.step_of_row(flat, Arguments(Vec::new()), call, name, names);
                self.step_of_row(row, arguments, call, name, names);
            }
            return;
        }
        let Some((padding, of_padding, rest)) = layers::padded(&arguments) else {
            self.step_of_row(row, arguments, call, name, names);
            return;
        };
        // What is wrong with its own numbers is told of the map that it gets.
        if self.outcome(row, &arguments, call, name).is_some() {
            self.step_of_row(padding, of_padding, call, name, names);
            self.step_of_row(row, rest, call, name, names);
        }
    }

    /// The map that a row makes of the current one; none after a mistake, which is noted.
    fn outcome(&mut self, row: &'static Row, arguments: &Arguments, call: &Call, name: &str) -> Option<Outcome> {
        let input = self.current?;
        let shape = self.plan.map(input).shape.clone();
        let (sound, flat_by) = (self.sound(&shape), self.flat_by(input));
        match (row.rule)(&Site { name, layer: &call.name, input: &shape, flat_by, sound, arguments }) {
            Ok(outcome) => Some(outcome),
            Err(error) => {
                self.errors.push(error);
                let has_kernel = row.sizes.last().is_some_and(|size| size.name == "kernel_size");
                let is_window = has_kernel && !layers::is_1d(row.name);
                if let Some(way_out) = self.channels_elsewhere().filter(|_| is_window) {
                    self.errors.add_way_out(&way_out);
                }
                self.current = None;
                None
            }
        }
    }

    fn step_of_row(&mut self, row: &'static Row, arguments: Arguments, call: &Call, name: &str, names: &Names) {
        let Some(input) = self.current else { return };
        let Some(outcome) = self.outcome(row, &arguments, call, name) else { return };
        let input_map = self.plan.map(input).clone();
        let shape = self.made(outcome, &call.name);
        if let Some(text) = overflow(name, &arguments, row, &input_map.shape, &shape) {
            self.wrong(&call.name, text);
            return;
        }
        let cost = (row.cost)(&arguments, &input_map.shape, &shape);
        let span = call.name.span();
        let output = Map { probabilities: row.makes_probabilities, ..Map::new(shape) };
        self.add_step(Kind::Layer { row, arguments }, span, cost, names, vec![input], output);
    }

    /// Of a network whose input has its channels last, as Keras has them, or says none of a picture: the input that is meant.
    fn channels_elsewhere(&self) -> Option<String> {
        let [height, width, channels] = match &self.plan.map(INPUT).shape {
            Shape::Chw(sizes) => sizes.each_ref().map(|size| size.known().unwrap_or(0)),
            _ => return None,
        };
        // A small map may well have few columns.
        let is_last = height == width && matches!(channels, 1 | 3 | 4) && (16..=4096).contains(&height);
        // Two sizes are a sequence.
        let is_picture = (width, height) == (1, channels) && (16..=4096).contains(&channels);
        if is_picture {
            return Some(format!("`{}<1, {channels}, {channels}>`, as a picture has channels, too", self.network));
        }
        is_last.then(|| format!("`{}<{channels}, {height}, {width}>`, as channels come first", self.network))
    }

    /// What made features of a map, before the steps that take either.
    fn flat_by(&self, mut map: MapId) -> FlatBy {
        while let Some(step) = self.plan.map(map).writer.map(|writer| &self.plan.steps[writer]) {
            match &step.kind {
                Kind::Layer { row, .. } if row.name == "flatten" => return FlatBy::Flatten,
                Kind::Layer { row, .. } if row.name != "linear" => map = step.input(),
                Kind::Take { .. } => return FlatBy::Input,
                _ => return FlatBy::Step(format!("{} ({})", step.path, step.layer())),
            }
        }
        FlatBy::Input
    }

    fn unknown_layer(&mut self, call: &Call) {
        if let Some(text) = self.no_such_wire(&call.name) {
            self.wrong(&call.name, text);
            return;
        }
        let name = call.name.to_string();
        let input = self.current.map(|map| self.plan.map(map).shape.clone());
        if let Some(text) = foreign::call(call, input.as_ref()) {
            self.wrong(&call.name, text);
            return;
        }
        if let Some(path) = call.path.as_ref().filter(|path| path.segments.len() > 1) {
            let path = path.to_token_stream().to_string().replace(' ', "");
            let text = "a type takes no options\nhelp: it stands alone; what varies is a parameter of the type";
            self.wrong(&call.name, format!("`{path}`: {text}"));
            return;
        }
        if self.is_label(&call.name) {
            let text = format!(
                "`{name}` is a label, which names weights and no map\n\
                 help: `as {name}` behind the step gives its map that name; `share<{name}>` is the step again"
            );
            self.wrong(&call.name, text);
            return;
        }
        let known = layers::ROWS.iter().map(|row| row.name);
        let wires: Vec<_> = self.wires.names().collect();
        let blocks: Vec<_> = self.blocks.names().collect();
        let what = match (blocks.is_empty(), wires.is_empty()) {
            (true, true) => "layer",
            (false, true) => "layer or block",
            (true, false) => "layer or map",
            (false, false) => "layer, block or map",
        };
        let words = blocks.iter().chain(&wires).map(String::as_str).chain(WORDS);
        let text = if let Some(meant) = nearest(&name, known.clone().chain(words)) {
            format!("there is no {what} `{name}`\nhelp: did you mean `{meant}`?")
        } else if name.starts_with(char::is_uppercase) {
            format!(
                "there is no {what} `{name}`, and a type takes no options\nhelp: a type of your own stands alone: `{name}`"
            )
        } else {
            let known: Vec<_> = known.chain(["add", "multiply", "concat", "matmul", "repeat"]).collect();
            let blocks =
                if blocks.is_empty() { String::new() } else { format!("; the blocks are {}", blocks.join(", ")) };
            format!(
                "there is no {what} `{name}`\nhelp: the layers are {}{blocks}; a type of your own starts with a capital letter",
                known.join(", ")
            )
        };
        self.wrong(&call.name, text);
    }

    /// A type with the numbers that its parameters stand for, where those have names of ours.
    fn with_numbers(&self, path: &syn::Path) -> syn::Path {
        let mut path = path.clone();
        for segment in &mut path.segments {
            let PathArguments::AngleBracketed(arguments) = &mut segment.arguments else { continue };
            for argument in &mut arguments.args {
                if let GenericArgument::Type(Type::Path(name)) = argument
                    && let Some(name) = name.path.get_ident()
                    && let Some((_, Meaning::Size(Size::Known(number)))) =
                        self.parameters.iter().find(|(parameter, _)| name == parameter.as_str())
                {
                    let mut number = Literal::u64_unsuffixed(*number);
                    number.set_span(name.span());
                    *argument = GenericArgument::Const(parse_quote!(#number));
                }
            }
        }
        path
    }

    pub(super) fn custom(&mut self, path: &syn::Path, names: &Names) {
        if let Some((index, block)) = path.segments.last().and_then(|last| self.blocks.find(&last.ident)) {
            // It is told where the block is declared that its name is a type's.
            if path.segments.len() == 1 && path.leading_colon.is_none() {
                self.tell_block(index, block);
                return;
            }
        }
        let shape = self.current.map(|map| self.plan.map(map).shape.clone());
        if let Some(text) = foreign::path(path, shape.as_ref()) {
            self.wrong(path, text);
            return;
        }
        let Some(input) = self.current else { return };
        if path.segments.len() == 1 && path.segments[0].ident == *self.network {
            let text = format!(
                "{}: `{}` is a step of itself\nhelp: to write steps several times there is `repeat<N> [ .. ]`",
                names.path(),
                self.network
            );
            self.wrong(path, text);
            return;
        }
        let custom = custom_layer(self.plan.steps.len());
        let sizes = quote!(#custom.sizes);
        let output = Map::new(Shape::Sizes(sizes));
        self.add_step(Kind::Custom(self.with_numbers(path)), path.span(), None, names, vec![input], output);
    }
}
