//! Steps that are layers: a row of the table, or a type of the user's.

use quote::quote;
use syn::spanned::Spanned;

use super::blocks::WORDS;
use super::limits::overflow;
use super::{Names, Walk};
use crate::error::nearest;
use crate::layers::{self, Site};
use crate::parse::ast::Call;
use crate::plan::custom_layer;
use crate::plan::{Kind, Map};
use crate::size::Shape;

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
        let Some(input) = self.current else { return };
        let input_map = self.plan.map(input).clone();
        let sound = self.sound(&input_map.shape);
        let site = Site { name, layer: &call.name, input: &input_map.shape, sound, arguments: &arguments };
        let outcome = match (row.rule)(&site) {
            Ok(outcome) => outcome,
            Err(error) => {
                self.errors.push(error);
                self.current = None;
                return;
            }
        };
        let shape = self.made(outcome, &call.name);
        if let Some(text) = overflow(name, &arguments, row, &input_map.shape, &shape) {
            self.wrong(&call.name, text);
            return;
        }
        let cost = (row.cost)(&arguments, &input_map.shape, &shape);
        let probabilities = row.name == "softmax";
        let span = call.name.span();
        let output = Map { probabilities, ..Map::new(shape) };
        self.add_step(Kind::Layer { row, arguments }, span, cost, names, vec![input], output);
    }

    fn unknown_layer(&mut self, call: &Call) {
        if let Some(text) = self.no_such_wire(&call.name) {
            self.wrong(&call.name, text);
            return;
        }
        let name = call.name.to_string();
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
            let known: Vec<_> = known.chain(["add", "multiply", "concat", "repeat"]).collect();
            let blocks =
                if blocks.is_empty() { String::new() } else { format!("; the blocks are {}", blocks.join(", ")) };
            format!(
                "there is no {what} `{name}`\nhelp: the layers are {}{blocks}; a type of your own starts with a capital letter",
                known.join(", ")
            )
        };
        self.wrong(&call.name, text);
    }

    pub(super) fn custom(&mut self, path: &syn::Path, names: &Names) {
        let Some(input) = self.current else { return };
        if path.is_ident(self.network) {
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
        self.add_step(Kind::Custom(path.clone()), path.span(), None, names, vec![input], output);
    }
}
