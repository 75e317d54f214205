//! The table: a row per layer with its sizes, options, PyTorch's defaults, and the rule by which it changes a map. A new
//! layer is a row.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

use crate::geometry::{self, Settled};
use crate::plan::{Shape, Size};
use crate::window::{self, Axis, Limits};

/// A layer of the language.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// Between `<` and `>`, in order.
    pub(crate) sizes: &'static [Argument],
    /// Between `(` and `)`, by name.
    pub(crate) options: &'static [Argument],
    /// The map that it makes.
    pub(crate) rule: fn(&Site<'_>) -> syn::Result<Outcome>,
    /// What it adds to the totals, if the macro knows.
    pub(crate) cost: fn(&Arguments, &Shape, &Shape) -> Option<Cost>,
    /// What its type says: the constants of the layer's trait in `cnn_core::layer`.
    pub(crate) constants: fn(&Settled<'_>) -> TokenStream,
    /// Whether it applies a rectifier that follows it by the way.
    pub(crate) fuses_relu: bool,
    /// Whether `forward_in_place` and `backward_in_place` exist.
    pub(crate) in_place: bool,
    /// Whether the backward pass reads values of the output. That of a rectifier reads signs, which nothing that works
    /// in place changes where a gradient comes through.
    pub(crate) backward_needs_output: bool,
}

/// A size or an option.
pub(crate) struct Argument {
    pub(crate) name: &'static str,
    pub(crate) kind: ArgumentKind,
    pub(crate) default: Default,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArgumentKind {
    /// A number, at least 1.
    Count,
    /// A number or `(vertical, horizontal)`, at least this.
    Pair(u64),
    /// `true` or `false`.
    Truth,
    /// Nothing but its name.
    Flag,
    /// A number from 0 to 1.
    Probability,
    /// It is PyTorch's, and not there yet.
    Later,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Default {
    Required,
    Number(u64),
    SameAs(&'static str),
    Truth(bool),
    Probability(f64),
}

/// The arguments of a call, settled: all that the row names, in its order.
#[derive(Debug, Clone)]
pub(crate) struct Arguments(pub(crate) Vec<(&'static str, Setting)>);

#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub(crate) value: Value,
    /// What to underline.
    pub(crate) tokens: TokenStream,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Count(Size),
    Pair([Size; 2]),
    Truth(bool),
    Probability(f64),
}

impl Arguments {
    pub(crate) fn get(&self, name: &str) -> Option<&Setting> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, setting)| setting)
    }

    fn setting(&self, name: &str) -> &Setting {
        self.get(name).unwrap_or_else(|| panic!("the row has no argument `{name}`"))
    }

    pub(crate) fn count(&self, name: &str) -> &Size {
        match &self.setting(name).value {
            Value::Count(size) => size,
            other => panic!("`{name}` is {other:?}"),
        }
    }

    pub(crate) fn pair(&self, name: &str) -> &[Size; 2] {
        match &self.setting(name).value {
            Value::Pair(pair) => pair,
            other => panic!("`{name}` is {other:?}"),
        }
    }

    pub(crate) fn truth(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Setting { value: Value::Truth(true), .. }))
    }

    pub(crate) fn probability(&self, name: &str) -> f64 {
        match self.setting(name).value {
            Value::Probability(p) => p,
            ref other => panic!("`{name}` is {other:?}"),
        }
    }
}

/// A layer where it stands: what a rule may look at.
pub(crate) struct Site<'a> {
    /// How messages call it: `conv2`, or `3 (relu)`.
    pub(crate) name: &'a str,
    /// The layer's name where it is written.
    pub(crate) layer: &'a Ident,
    pub(crate) input: &'a Shape,
    /// Whether nothing was wrong on the way here, for rustc to evaluate.
    pub(crate) sound: TokenStream,
    pub(crate) arguments: &'a Arguments,
}

impl Site<'_> {
    fn mistake(&self, text: &str) -> syn::Error {
        syn::Error::new(self.layer.span(), format!("{}: {text}", self.name))
    }

    fn mistake_at(&self, argument: &str, text: &str) -> syn::Error {
        syn::Error::new_spanned(&self.arguments.setting(argument).tokens, text)
    }
}

/// The map that a layer makes.
#[derive(Debug)]
pub(crate) enum Outcome {
    Known(Shape),
    /// Sizes that are `None` come out of the check: an expression of type `Made` which rustc evaluates.
    Checked {
        sizes: CheckedSizes,
        check: TokenStream,
    },
}

#[derive(Debug)]
pub(crate) enum CheckedSizes {
    Chw([Option<u64>; 3]),
    Flat(Option<u64>),
}

/// What a layer costs per sample.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) parameters: u128,
    pub(crate) multiply_adds: u128,
}

const fn size(name: &'static str, kind: ArgumentKind) -> Argument {
    Argument { name, kind, default: Default::Required }
}

const fn pair(name: &'static str, least: u64, default: Default) -> Argument {
    Argument { name, kind: ArgumentKind::Pair(least), default }
}

const fn truth(name: &'static str) -> Argument {
    Argument { name, kind: ArgumentKind::Truth, default: Default::Truth(true) }
}

const fn later(name: &'static str) -> Argument {
    Argument { name, kind: ArgumentKind::Later, default: Default::Required }
}

const STRICT: Argument = Argument { name: "strict", kind: ArgumentKind::Flag, default: Default::Truth(false) };
const KERNEL: Argument = size("kernel_size", ArgumentKind::Pair(1));
const PADDING: Argument = pair("padding", 0, Default::Number(0));
const DILATION: Argument = pair("dilation", 1, Default::Number(1));
const POOL_STRIDE: Argument = pair("stride", 1, Default::SameAs("kernel_size"));

/// Every layer. Names and defaults are PyTorch's.
pub(crate) static ROWS: &[Row] = &[
    Row {
        name: "conv2d",
        sizes: &[size("out_channels", ArgumentKind::Count), KERNEL],
        options: &[
            pair("stride", 1, Default::Number(1)),
            PADDING,
            DILATION,
            truth("bias"),
            STRICT,
            later("groups"),
            later("padding_mode"),
        ],
        rule: conv2d,
        cost: conv2d_cost,
        constants: geometry::conv2d,
        fuses_relu: true,
        in_place: false,
        backward_needs_output: false,
    },
    Row {
        name: "max_pool2d",
        sizes: &[KERNEL],
        options: &[POOL_STRIDE, PADDING, DILATION, STRICT, later("ceil_mode")],
        rule: pool2d,
        cost: free,
        constants: geometry::pool2d,
        fuses_relu: false,
        in_place: false,
        backward_needs_output: true,
    },
    Row {
        name: "avg_pool2d",
        sizes: &[KERNEL],
        options: &[
            POOL_STRIDE,
            PADDING,
            truth("count_include_pad"),
            STRICT,
            later("ceil_mode"),
            later("divisor_override"),
        ],
        rule: pool2d,
        cost: free,
        constants: geometry::pool2d,
        fuses_relu: false,
        in_place: false,
        backward_needs_output: false,
    },
    Row {
        name: "adaptive_avg_pool2d",
        sizes: &[size("output_size", ArgumentKind::Pair(1))],
        options: &[],
        rule: adaptive_pool2d,
        cost: free,
        constants: geometry::adaptive_pool2d,
        fuses_relu: false,
        in_place: false,
        backward_needs_output: false,
    },
    Row {
        name: "linear",
        sizes: &[size("out_features", ArgumentKind::Count)],
        options: &[truth("bias")],
        rule: linear,
        cost: linear_cost,
        constants: geometry::linear,
        fuses_relu: true,
        in_place: false,
        backward_needs_output: false,
    },
    Row {
        name: "flatten",
        sizes: &[],
        options: &[],
        rule: flatten,
        cost: free,
        constants: geometry::flatten,
        fuses_relu: false,
        in_place: false,
        backward_needs_output: false,
    },
    Row {
        name: "relu",
        sizes: &[],
        options: &[],
        rule: same_map,
        cost: free,
        constants: geometry::nothing,
        fuses_relu: false,
        in_place: true,
        backward_needs_output: false,
    },
    Row {
        name: "dropout",
        sizes: &[],
        options: &[Argument { name: "p", kind: ArgumentKind::Probability, default: Default::Probability(0.5) }],
        rule: same_map,
        cost: free,
        constants: geometry::dropout,
        fuses_relu: false,
        in_place: true,
        backward_needs_output: false,
    },
    Row {
        name: "softmax",
        sizes: &[],
        options: &[],
        rule: same_map,
        cost: free,
        constants: geometry::softmax,
        fuses_relu: false,
        in_place: false,
        backward_needs_output: true,
    },
];

/// Layers of PyTorch's that come with a later version.
pub(crate) static LATER: &[&str] = &[
    "adaptive_max_pool2d",
    "batch_norm2d",
    "conv_transpose2d",
    "dropout2d",
    "gelu",
    "hardsigmoid",
    "hardswish",
    "leaky_relu",
    "local_response_norm",
    "log_softmax",
    "prelu",
    "relu6",
    "sigmoid",
    "silu",
    "tanh",
    "upsample",
    "zero_pad2d",
];

fn same_map(site: &Site<'_>) -> syn::Result<Outcome> {
    Ok(Outcome::Known(site.input.clone()))
}

fn flatten(site: &Site<'_>) -> syn::Result<Outcome> {
    Ok(match site.input.known_len() {
        Some(len) => Outcome::Known(Shape::Flat(Size::Known(len))),
        None => {
            let (len, sound) = (site.input.len(), &site.sound);
            Outcome::Checked {
                sizes: CheckedSizes::Flat(None),
                check: quote!(::cnn_core::shape::check::flatten(#len, #sound)),
            }
        }
    })
}

fn linear(site: &Site<'_>) -> syn::Result<Outcome> {
    let out_features = site.arguments.count("out_features");
    match site.input {
        Shape::Chw(_) => Err(site.mistake(&format!(
            "`linear` takes a flat map, and gets the {} feature map\nhelp: put `flatten` before it",
            site.input
        ))),
        Shape::Flat(_) if out_features.known().is_some() => Ok(Outcome::Known(Shape::Flat(out_features.clone()))),
        _ => {
            let (name, input, sound) = (site.name, sizes_expression(site.input), &site.sound);
            let check = quote!(::cnn_core::shape::check::linear(#name, #input, #sound, #out_features));
            Ok(Outcome::Checked { sizes: CheckedSizes::Flat(out_features.known()), check })
        }
    }
}

/// Channels, height and width of the input of a layer that needs all three.
fn spatial(site: &Site<'_>) -> syn::Result<[Size; 3]> {
    match site.input {
        Shape::Flat(_) => Err(site.mistake(&format!(
            "`{}` takes a map with height and width, and gets {} flat features\nhelp: put it before `flatten`",
            site.layer, site.input
        ))),
        other => Ok(other.sizes()),
    }
}

/// Kernel, stride, padding and dilation of both axes.
fn window_numbers(arguments: &Arguments) -> [[Size; 2]; 4] {
    ["kernel_size", "stride", "padding", "dilation"]
        .map(|name| if arguments.get(name).is_some() { arguments.pair(name).clone() } else { [1, 1].map(Size::Known) })
}

/// Height and width that a window makes, if all numbers are known.
fn windowed(site: &Site<'_>, cells: [&Size; 2], half_padding: bool) -> syn::Result<Option<[u64; 2]>> {
    let numbers = window_numbers(site.arguments);
    let axis = |side: usize| {
        let [kernel, stride, padding, dilation] = numbers.each_ref().map(|pair| pair[side].known());
        Some(Axis {
            cells: cells[side].known()?,
            kernel: kernel?,
            stride: stride?,
            padding: padding?,
            dilation: dilation?,
        })
    };
    let (Some(vertical), Some(horizontal)) = (axis(0), axis(1)) else { return Ok(None) };
    let limits = Limits { strict: site.arguments.truth("strict"), half_padding };
    window::output(site.name, [vertical, horizontal], limits)
        .map(Some)
        .map_err(|misfit| site.mistake_at(misfit.argument, &misfit.text))
}

fn window_check(site: &Site<'_>, channels: &Size, half_padding: bool) -> TokenStream {
    let (name, layer, sound) = (site.name, site.layer.to_string(), &site.sound);
    let input = sizes_expression(site.input);
    let [kernel_size, stride, padding, dilation] = window_numbers(site.arguments).map(|[a, b]| quote!([#a, #b]));
    let strict = site.arguments.truth("strict");
    let window = quote!(::cnn_core::shape::check::Window {
        name: #name, layer: #layer, kernel_size: #kernel_size, stride: #stride, padding: #padding,
        dilation: #dilation, strict: #strict, half_padding: #half_padding,
    });
    quote!(::cnn_core::shape::check::window(#window, #input, #sound, #channels))
}

fn conv2d(site: &Site<'_>) -> syn::Result<Outcome> {
    let [_, height, width] = spatial(site)?;
    let out_channels = site.arguments.count("out_channels");
    let sizes = windowed(site, [&height, &width], false)?;
    Ok(match (sizes, out_channels.known(), site.input) {
        (Some([height, width]), Some(channels), _) => {
            Outcome::Known(Shape::Chw([channels, height, width].map(Size::Known)))
        }
        (sizes, channels, _) => Outcome::Checked {
            sizes: CheckedSizes::Chw([channels, sizes.map(|sizes| sizes[0]), sizes.map(|sizes| sizes[1])]),
            check: window_check(site, out_channels, false),
        },
    })
}

fn pool2d(site: &Site<'_>) -> syn::Result<Outcome> {
    let [channels, height, width] = spatial(site)?;
    Ok(match windowed(site, [&height, &width], true)? {
        Some([height, width]) => Outcome::Known(Shape::Chw([channels, Size::Known(height), Size::Known(width)])),
        None => Outcome::Checked {
            sizes: CheckedSizes::Chw([channels.known(), None, None]),
            check: window_check(site, &channels, true),
        },
    })
}

fn adaptive_pool2d(site: &Site<'_>) -> syn::Result<Outcome> {
    let [channels, ..] = spatial(site)?;
    let [height, width] = site.arguments.pair("output_size");
    if height.known().is_some() && width.known().is_some() && !matches!(site.input, Shape::Sizes(_)) {
        return Ok(Outcome::Known(Shape::Chw([channels, height.clone(), width.clone()])));
    }
    let (name, layer, sound) = (site.name, site.layer.to_string(), &site.sound);
    let input = sizes_expression(site.input);
    Ok(Outcome::Checked {
        sizes: CheckedSizes::Chw([channels.known(), height.known(), width.known()]),
        check: quote!(::cnn_core::shape::check::adaptive(#name, #layer, #input, #sound, [#height, #width])),
    })
}

/// A map's sizes as an expression of type `Sizes`.
pub(crate) fn sizes_expression(shape: &Shape) -> TokenStream {
    match shape {
        Shape::Chw([channels, height, width]) => {
            quote!(::cnn_core::shape::Sizes::Map { channels: #channels, height: #height, width: #width })
        }
        Shape::Flat(features) => quote!(::cnn_core::shape::Sizes::Flat { features: #features }),
        Shape::Sizes(sizes) => sizes.clone(),
    }
}

fn free(_: &Arguments, _: &Shape, _: &Shape) -> Option<Cost> {
    Some(Cost::default())
}

fn conv2d_cost(arguments: &Arguments, input: &Shape, output: &Shape) -> Option<Cost> {
    let [in_channels, ..] = input.sizes();
    let [out_channels, height, width] = output.sizes();
    let [kernel_height, kernel_width] = arguments.pair("kernel_size");
    let weight = product(&[&in_channels, &out_channels, kernel_height, kernel_width])?;
    let positions = product(&[&height, &width])?;
    Some(Cost {
        parameters: weight.saturating_add(bias(arguments, &out_channels)?),
        multiply_adds: weight.saturating_mul(positions),
    })
}

fn linear_cost(arguments: &Arguments, input: &Shape, output: &Shape) -> Option<Cost> {
    let [[in_features, ..], [out_features, ..]] = [input.sizes(), output.sizes()];
    let weight = product(&[&in_features, &out_features])?;
    Some(Cost { parameters: weight.saturating_add(bias(arguments, &out_features)?), multiply_adds: weight })
}

fn product(sizes: &[&Size]) -> Option<u128> {
    sizes.iter().try_fold(1_u128, |product, size| Some(product.saturating_mul(u128::from(size.known()?))))
}

fn bias(arguments: &Arguments, values: &Size) -> Option<u128> {
    if arguments.truth("bias") { values.known().map(u128::from) } else { Some(0) }
}
