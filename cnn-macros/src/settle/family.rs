//! A network at several sizes, `for [..]`: what its names stand for at each, and what all sizes have in common. Each is settled
//! as a network of its own.

use proc_macro2::{Ident, Span};

use super::blocks::{Blocks, other_meaning};
use super::constant::{Meaning, Scope, Value};
use crate::error::Errors;
use crate::parse::ast::{self, Family, FamilySize};
use crate::plan::{AtSize, Plan, Step};
use crate::size::Size;

/// What the names stand for at a size.
pub(super) fn meanings(at: &AtSize) -> Vec<(String, Meaning)> {
    let numbers = at.numbers.iter().map(|number| Meaning::Size(Size::Known(*number)));
    at.names.iter().map(Ident::to_string).zip(numbers).collect()
}

/// The sizes of a network, without those that are wrong.
pub(crate) fn sizes(network: &ast::Network, family: &Family, blocks: &Blocks<'_>, errors: &mut Errors) -> Vec<AtSize> {
    let Family { word, names, sizes } = family;
    let name = &network.name;
    let blocks: Vec<_> = blocks.names().collect();
    let before = errors.count();
    for parameter in names {
        let text = parameter.to_string();
        if let Some(other) = other_meaning(&text, blocks.iter().map(String::as_str)) {
            errors.note(parameter, format!("{name}: the size `{text}` {other}"));
        }
    }
    if errors.count() > before {
        return Vec::new();
    }
    if names.is_empty() {
        let text = format!(
            "{name}: no size of its input is a name that `for` could say\n\
             help: `{name}<3, H, W> for [(12, 12), (24, 24)]`, or no `for`"
        );
        errors.push(syn::Error::new(*word, text));
        return Vec::new();
    }
    if sizes.is_empty() && network.errors.is_empty() {
        let text = format!("{name}: `for` says no sizes\nhelp: `for [{}, ..]`", form(names));
        errors.push(syn::Error::new(*word, text));
    }
    let mut known: Vec<AtSize> = Vec::new();
    for size in sizes {
        let Some(numbers) = numbers(network, size, names, errors) else { continue };
        let text: Vec<_> = numbers.iter().map(u64::to_string).collect();
        let called = format!("{name}<{}>", text.join(", "));
        if known.iter().any(|other| other.numbers == numbers) {
            errors.note(&size.tokens, format!("{name}: the size of `{called}` is there twice\nhelp: leave one out"));
            continue;
        }
        known.push(AtSize { names: names.clone(), numbers, called, tokens: size.tokens.clone() });
    }
    known
}

/// `(H, W)`, or `S`.
fn form(names: &[Ident]) -> String {
    let names: Vec<_> = names.iter().map(Ident::to_string).collect();
    if names.len() == 1 { names.concat() } else { format!("({})", names.join(", ")) }
}

fn numbers(network: &ast::Network, size: &FamilySize, names: &[Ident], errors: &mut Errors) -> Option<Vec<u64>> {
    let FamilySize { numbers, tokens } = size;
    let name = &network.name;
    if numbers.len() != names.len() {
        let count = |count: usize| if count == 1 { "one number".to_owned() } else { format!("{count} numbers") };
        let text = format!("{name}: a size is {}, and here is {}", count(names.len()), count(numbers.len()))
            .replace("is 0", "are 0");
        errors
            .note(tokens, format!("{text}\nhelp: `{}`, in the order in which the names are there first", form(names)));
        return None;
    }
    let mut sound = true;
    let mut known = Vec::new();
    for (number, parameter) in numbers.iter().zip(names) {
        match Scope::default().fold(number) {
            Ok(Value::Known(value)) => match u64::try_from(value).ok().filter(|value| *value > 0) {
                Some(value) => known.push(value),
                None => {
                    errors.note(number, format!("{name}: {parameter} is {value}\nhelp: {parameter} >= 1"));
                    sound = false;
                }
            },
            Ok(Value::Const(_) | Value::Unknown) => {
                let text = "only rustc knows this number\nhelp: write it as a number";
                errors.note(number, format!("{name}: {parameter}: {text}"));
                sound = false;
            }
            Err(mistake) => {
                errors.note(mistake.tokens, format!("{name}: {parameter}: {}", mistake.text));
                sound = false;
            }
        }
    }
    sound.then_some(known)
}

/// Mistakes of a network at its sizes, each of which is told once.
#[derive(Default)]
pub(crate) struct Mistakes {
    told: Vec<Told>,
    sizes: usize,
}

struct Told {
    error: syn::Error,
    /// Where it is, and what is said apart from numbers.
    is: (String, String),
    /// The sizes that have it.
    at: Vec<String>,
    /// Whether it is said in the same words of all of them.
    alike: bool,
}

impl Mistakes {
    /// Those of one more size.
    pub(crate) fn at(&mut self, size: &AtSize, found: Vec<syn::Error>) {
        self.sizes += 1;
        for error in found {
            let text = error.to_string();
            let without_numbers =
                text.lines().next().unwrap_or_default().replace(|letter: char| letter.is_ascii_digit(), "");
            let is = (format!("{:?}", error.span()), without_numbers);
            match self.told.iter_mut().find(|told| told.is == is && told.at.last() != Some(&size.called)) {
                Some(told) => {
                    told.alike &= told.error.to_string() == text;
                    told.at.push(size.called.clone());
                }
                None => self.told.push(Told { error, is, at: vec![size.called.clone()], alike: true }),
            }
        }
    }

    /// All of them. What not all sizes have, or have in other words, is told of the first that has it.
    pub(crate) fn together(self) -> Vec<syn::Error> {
        let sizes = self.sizes;
        let tell = |Told { error, at, alike, .. }: Told| {
            if alike && at.len() == sizes {
                return error;
            }
            let others = match at.len() - 1 {
                0 => String::new(),
                1 => format!(", and in `{}`", at[1]),
                others => format!(", and in {others} other sizes of it"),
            };
            crate::error::retold(&error, &format!("in `{}`{others}", at[0]))
        };
        self.told.into_iter().map(tell).collect()
    }
}

/// Notes where a size has other weights than the first, as far as the macro knows.
pub(crate) fn same_weights(network: &ast::Network, sizes: &[(&AtSize, &Plan)], errors: &mut Errors) {
    let Some(((first, plan), others)) = sizes.split_first() else { return };
    for (other, other_plan) in others {
        if let Some(Other { span, text, help }) = other_weights([plan, other_plan], [&first.called, &other.called]) {
            let text = format!("{text}\nrule: all sizes of `{}` have the same weights\nhelp: {help}", network.name);
            errors.push(syn::Error::new(span, text));
            // The same step is wrong at others.
            return;
        }
    }
}

/// What is other at a size, and a way out.
struct Other {
    span: Span,
    text: String,
    help: &'static str,
}

fn other_weights(plans: [&Plan; 2], called: [&str; 2]) -> Option<Other> {
    let is_missing = |step: &Step, in_size: &str| {
        let text = format!("{}: `{}` is not there in `{in_size}`", step.path, step.layer());
        Other { span: step.span, text, help: "as many steps with weights at every size" }
    };
    let [one, other] = plans.map(|plan| plan.steps.iter().filter(|step| step.has_tensors() && step.shares.is_none()));
    let mut other = other.peekable();
    for step in one {
        let Some(other) = other.next().filter(|other| other.path == step.path) else {
            return Some(is_missing(step, called[1]));
        };
        let weights = |step: &Step| step.cost.map(|cost| cost.parameters);
        let (Some(here), Some(there)) = (weights(step), weights(other)) else { continue };
        if here != there {
            let [map, other_map] = [plans[0].map(step.input()), plans[1].map(other.input())].map(|map| &map.shape);
            let text = format!(
                "{}: `{}` has {here} weights in `{}`, for a map of {map}, and {there} in `{}`, for one of {other_map}",
                step.path,
                step.layer(),
                called[0],
                called[1]
            );
            let help = if step.is("linear") {
                "`adaptive_avg_pool2d<..>` before `flatten`, or a convolution in its place"
            } else {
                "weights whose sizes do not follow from those of the map"
            };
            return Some(Other { span: step.span, text, help });
        }
    }
    other.next().map(|step| is_missing(step, called[0]))
}
