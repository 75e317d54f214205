//! The blocks of an invocation: what is wrong with one wherever it is used, and who tells.

use syn::Ident;

use crate::layers;
use crate::parse::ast::{Block, Body, Call, Layer};

/// Blocks by their names, and the network in whose declaration the mistakes of each are told: a block may be wrong in many
/// uses, and that is one mistake.
#[derive(Clone)]
pub(crate) struct Blocks<'a> {
    blocks: &'a [Block],
    told: Vec<Option<Ident>>,
}

impl<'a> Blocks<'a> {
    pub(crate) fn new(blocks: &'a [Block]) -> Self {
        Self { blocks, told: vec![None; blocks.len()] }
    }

    pub(crate) fn find(&self, name: &Ident) -> Option<(usize, &'a Block)> {
        self.blocks.iter().enumerate().find(|(_, block)| block.name == *name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        self.blocks.iter().map(|block| block.name.to_string())
    }

    /// Who tells the mistakes of a block: `network`, if nobody did yet.
    pub(crate) fn tell(&mut self, block: usize, network: &Ident) -> Teller {
        match &self.told[block] {
            Some(other) => Teller::Before(other.clone()),
            None => {
                self.told[block] = Some(network.clone());
                Teller::Now
            }
        }
    }

    /// Takes over who tells what, from a walk through the same network at another size.
    pub(crate) fn told_too(&mut self, other: Self) {
        for (told, other) in self.told.iter_mut().zip(other.told) {
            *told = told.take().or(other);
        }
    }

    /// What is wrong with blocks that no network uses.
    pub(crate) fn untold(&self) -> Vec<syn::Error> {
        let untold = self.blocks.iter().zip(&self.told).filter(|(_, told)| told.is_none());
        untold.flat_map(|(block, _)| block.errors.iter().cloned()).collect()
    }
}

pub(crate) enum Teller {
    Now,
    /// An earlier use, in this network's declaration.
    Before(Ident),
}

/// Words of the language that are no layers.
pub(super) const WORDS: [&str; 8] = ["repeat", "add", "multiply", "concat", "matmul", "map", "outputs", "share"];

/// Names that a size has where it is written.
pub(crate) const SIZES: [&str; 3] = ["channels", "height", "width"];

/// Notes what is wrong with blocks wherever they are used.
pub(crate) fn check(blocks: &mut [Block]) {
    let names: Vec<String> = blocks.iter().map(|block| block.name.to_string()).collect();
    for (index, block) in blocks.iter_mut().enumerate() {
        let name = &names[index];
        let mut errors = Vec::new();
        let mut note = |at: &Ident, text: String| errors.push(syn::Error::new(at.span(), text));
        if let Some(what) = built_in(name) {
            note(&block.name, format!("the block `{name}` has the name of {what}\nhelp: choose another"));
        } else if name.starts_with(char::is_uppercase) {
            let help = format!("`{}`", snake(name));
            note(&block.name, format!("the block `{name}` starts with a capital letter, as a type does\nhelp: {help}"));
        } else if names[..index].contains(name) {
            note(&block.name, format!("the block `{name}` is declared twice\nhelp: choose another name for one"));
        }
        for (index, parameter) in block.parameters.iter().enumerate() {
            let text = parameter.to_string();
            if let Some(other) = other_meaning(&text, names.iter().map(String::as_str)) {
                note(parameter, format!("{name}: the parameter `{text}` {other}"));
            } else if block.parameters[..index].contains(parameter) {
                note(parameter, format!("{name}: the parameter `{text}` is there twice\nhelp: choose another name"));
            }
        }
        block.errors.extend(errors);
    }
    for start in 0..blocks.len() {
        let mut way = vec![start];
        let found = cycle(blocks, &names, &mut way, &mut vec![false; blocks.len()]);
        if let Some((at, error)) = found {
            blocks[at].errors.push(error);
        }
    }
}

/// Why a name cannot stand for a number, if it means something else already; and a way out.
pub(crate) fn other_meaning<'a>(name: &str, mut blocks: impl Iterator<Item = &'a str>) -> Option<String> {
    let size = SIZES.contains(&name).then_some("that size of the map that a step gets");
    let block = blocks.any(|block| block == name).then_some("a block");
    let what = size.or_else(|| built_in(name)).or(block)?;
    let other = name.to_uppercase();
    let help = if other == name { "another name".to_owned() } else { format!("another name, such as `{other}`") };
    Some(format!("has the name of {what}\nhelp: {help}"))
}

/// `ResBlock` as `res_block`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

pub(super) fn built_in(name: &str) -> Option<&'static str> {
    if layers::ROWS.iter().any(|row| row.name == name) {
        return Some("a layer");
    }
    WORDS.contains(&name).then_some("a word of the language")
}

/// The first call on the way on that closes a circle of blocks without a mistake.
fn cycle(blocks: &[Block], names: &[String], way: &mut Vec<usize>, seen: &mut [bool]) -> Option<(usize, syn::Error)> {
    let here = *way.last()?;
    if !blocks[here].errors.is_empty() || std::mem::replace(&mut seen[here], true) {
        return None;
    }
    let mut calls = Vec::new();
    calls_in(&blocks[here].body, &mut calls);
    for call in calls {
        let Some(next) = names.iter().position(|name| call.name == name) else { continue };
        if let Some(first) = way.iter().position(|block| *block == next) {
            let circle: Vec<_> = way[first..].iter().chain([&next]).map(|block| names[*block].as_str()).collect();
            let text = format!(
                "the block `{}` calls itself: {}\nhelp: a block ends in layers; to write steps several times there is `repeat<N> [ .. ]`",
                names[next],
                circle.join(" -> ")
            );
            return Some((here, syn::Error::new(call.name.span(), text)));
        }
        way.push(next);
        let found = cycle(blocks, names, way, seen);
        way.pop();
        if found.is_some() {
            return found;
        }
    }
    None
}

fn calls_in<'a>(body: &'a Body, found: &mut Vec<&'a Call>) {
    for step in &body.steps {
        match &step.layer {
            Layer::Call(call) => found.push(call),
            Layer::Sequence(body)
            | Layer::Repeat { body, .. }
            | Layer::Join { branches: body, .. }
            | Layer::Outputs { branches: body, .. } => {
                calls_in(body, found);
            }
            Layer::Map { .. } | Layer::Share { .. } | Layer::Type(_) | Layer::Broken => {}
        }
    }
}
