//! What a row of the table of layers consists of: sizes, options with PyTorch's defaults, the rule by which it changes a
//! map, and what its type says. The rows are in [`table`]; a new layer is a row.

mod constants;
pub(crate) mod foreign;
mod maps;
mod rearranged;
mod table;
mod window;

use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

use crate::size::{Real, Shape, Size};
pub(crate) use constants::Settled;
pub(crate) use table::ROWS;

/// A layer of the language.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// The module of `cnn_core::layer` and the trait there, if they have another name than the layer.
    pub(crate) family: Option<(&'static str, &'static str)>,
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
    /// Whether its functions take an `Owned`: it has state, or keeps values of a batch for the backward pass.
    pub(crate) stateful: bool,
    /// Whether its loops work in scratch memory: its trait says how much, `NEEDS`.
    pub(crate) scratch: bool,
    /// Whether it applies an activation that follows it by the way.
    pub(crate) fuses_activation: bool,
    /// Whether the backward pass tells the slope of that from the output, and multiplies the output's gradient by it; else it
    /// reckons again what that got.
    pub(crate) activation_reads_output: bool,
    /// How a layer before it applies it, if it is a function of each value without parameters.
    pub(crate) activation: Option<Applied>,
    /// Whether `forward_in_place` and `backward_in_place` exist. Such a layer does the same to every value, wherever it
    /// stands in the map.
    pub(crate) in_place: bool,
    /// Whether `forward_in_place` exists, or `predict_in_place`: for a predictor, which needs no way back.
    pub(crate) predicts_in_place: fn(&Arguments) -> bool,
    /// Whether it does nothing in evaluation.
    pub(crate) only_trains: bool,
    /// What factors and summands behind it are for a predictor.
    pub(crate) folds: Folds,
    /// Whether what is positive before it is positive behind it and nothing else is, wherever a gradient comes through.
    pub(crate) keeps_signs: bool,
    /// What the backward pass reads of the output, where no activation is part of it.
    pub(crate) backward_reads: Reads,
    /// Whether the backward pass reads the input.
    pub(crate) reads_input_backwards: bool,
    /// Whether the backward pass changes the gradient of the output, where no activation is part of it.
    pub(crate) spoils_gradient: bool,
    /// Whether its maps may be some of the channels of wider ones.
    pub(crate) strided: bool,
    /// Whether what it learns goes by the name of the step itself.
    pub(crate) named_as_step: bool,
    /// Whether its map is probabilities, which some losses want and others do not take.
    pub(crate) makes_probabilities: bool,
    /// The expression that it is, in which its options are constants: it needs no loop of its own.
    pub(crate) written: Option<&'static str>,
    /// The row in its place for arguments of some sort.
    pub(crate) instead: Option<fn(&Arguments) -> Option<&'static Row>>,
}

/// How an activation is applied by a layer before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Applied {
    /// In registers: its name in `cnn_core::kernel::FusedActivation`.
    InRegisters(&'static str),
    /// To what a task has just written: `cnn_core::kernel::Then`.
    Then,
}

/// What the backward pass reads of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    Nothing,
    /// Which values are positive.
    Signs,
    Values,
}

/// What a factor and a summand for each channel, as of a normalization over the batch, mean to a predictor, where they are
/// behind a layer or are the layer itself.
#[derive(Clone, Copy)]
pub(crate) enum Folds {
    /// A step of its own.
    Apart,
    /// Part of this layer's weights.
    Behind,
    /// This layer is such, if the arguments say so: a normalization is with running statistics.
    Is(fn(&Arguments) -> bool),
}

/// A size or an option.
pub(crate) struct Argument {
    pub(crate) name: &'static str,
    pub(crate) kind: ArgumentKind,
    pub(crate) default: Default,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ArgumentKind {
    /// A number, at least 1.
    Count,
    /// A number, also 0.
    Index,
    /// A number or `(vertical, horizontal)`, at least this.
    Pair(u64),
    /// A number of cells along a sequence, at least this; across it is so much.
    Along { least: u64, across: u64 },
    /// Cells before a sequence and behind it: a number, or `(before, behind)`.
    Ends {
        /// Or the word `same`.
        same: bool,
    },
    /// A number or `(vertical, horizontal)`: at least 1, or with a fraction and above 0.
    Factors,
    /// Rows and columns around a map: a number, `(vertical, horizontal)`, or `(top, bottom, left, right)`.
    Sides {
        /// Or the word `same`.
        same: bool,
    },
    /// Rows or columns at one side of a map, which goes in the place of the size of all sides.
    Side,
    /// `true` or `false`.
    Truth,
    /// Nothing but its name.
    Flag,
    /// A number from 0 to 1.
    Probability,
    /// A number from 0 to 1, or the word `none`.
    ProbabilityOrNone,
    /// Any number.
    Finite,
    /// A number, at least this.
    Number(f64),
    /// A number above 0.
    Positive,
    /// One of these.
    Word(&'static [&'static str]),
    /// It is PyTorch's, and not there yet.
    Later,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Default {
    Required,
    /// The layer goes without.
    Absent,
    Number(u64),
    SameAs(&'static str),
    Truth(bool),
    Probability(f64),
    Real(f64),
    Word(&'static str),
}

/// The arguments of a call, settled: all that the row names, in its order, but what was left out and has no default.
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
    /// Numbers that may have fractions, vertical and horizontal.
    Factors([Real; 2]),
    /// Top, bottom, left, right.
    Sides([Size; 4]),
    /// As many rows and columns around the map as keep its size.
    Same,
    Truth(bool),
    Real(Real),
    /// The word `none` in the place of a number.
    Nothing,
    Word(&'static str),
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

    /// Numbers that may have fractions, if the argument is there and has some.
    pub(crate) fn fractions(&self, name: &str) -> Option<&[Real; 2]> {
        match &self.get(name)?.value {
            Value::Factors(factors) => Some(factors),
            _ => None,
        }
    }

    pub(crate) fn pair_or_ones(&self, name: &str) -> [Size; 2] {
        if self.get(name).is_some() { self.pair(name).clone() } else { [1, 1].map(Size::Known) }
    }

    /// Rows and columns around the map: top, bottom, left, right.
    pub(crate) fn padding(&self) -> [Size; 4] {
        match &self.setting("padding").value {
            Value::Sides(sides) => sides.clone(),
            Value::Pair([vertical, horizontal]) => [vertical, vertical, horizontal, horizontal].map(Size::clone),
            Value::Same => {
                let (kernel, dilation) = (self.pair("kernel_size"), self.pair_or_ones("dilation"));
                let [[top, bottom], [left, right]] = [0, 1].map(|side| around(&kernel[side], &dilation[side]));
                [top, bottom, left, right]
            }
            other => panic!("`padding` is {other:?}"),
        }
    }

    /// Rows and columns at the sides: top, bottom, left, right.
    pub(crate) fn sides(&self, name: &str) -> [Size; 4] {
        match &self.setting(name).value {
            Value::Sides(sides) => sides.clone(),
            Value::Pair([vertical, horizontal]) => [vertical, vertical, horizontal, horizontal].map(Size::clone),
            other => panic!("`{name}` is {other:?}"),
        }
    }

    pub(crate) fn is_same_padding(&self) -> bool {
        matches!(self.get("padding"), Some(Setting { value: Value::Same, .. }))
    }

    pub(crate) fn truth(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Setting { value: Value::Truth(true), .. }))
    }

    pub(crate) fn real(&self, name: &str) -> &Real {
        match &self.setting(name).value {
            Value::Real(number) => number,
            other => panic!("`{name}` is {other:?}"),
        }
    }

    /// A number in whose place there may be `none`.
    pub(crate) fn some_real(&self, name: &str) -> Option<&Real> {
        if matches!(self.setting(name).value, Value::Nothing) { None } else { Some(self.real(name)) }
    }

    pub(crate) fn word(&self, name: &str) -> &'static str {
        match self.setting(name).value {
            Value::Word(word) => word,
            ref other => panic!("`{name}` is {other:?}"),
        }
    }
}

/// What keeps the size of a map under a window; of an odd number, the larger half is behind it, as PyTorch has it.
fn around(kernel: &Size, dilation: &Size) -> [Size; 2] {
    match (kernel.known(), dilation.known()) {
        (Some(kernel), Some(dilation)) => {
            let sum = dilation.saturating_mul(kernel - 1);
            [Size::Known(sum / 2), Size::Known(sum - sum / 2)]
        }
        _ => {
            let sum = quote!(::core::primitive::usize::saturating_mul(#dilation, #kernel - 1));
            [Size::Const(quote!((#sum) / 2)), Size::Const(quote!((#sum).div_ceil(2)))]
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
    /// What made the input flat, if it is.
    pub(crate) flat_by: FlatBy,
    /// Whether nothing was wrong on the way here, for rustc to evaluate.
    pub(crate) sound: TokenStream,
    pub(crate) arguments: &'a Arguments,
}

/// The row of `flatten`, if a layer is a `reshape` of a map that no loop walks as it walks what is made: then it is that first.
pub(crate) fn through_features(row: &Row, input: &Shape, arguments: &Arguments) -> Option<&'static Row> {
    let is_two = row.name == "reshape" && !rearranged::is_one_loop(input, arguments);
    ROWS.iter().find(|row| is_two && row.name == "flatten")
}

/// A convolution with a padding mode is two layers: what pads the map, with its arguments, and the convolution without padding.
pub(crate) fn padded(arguments: &Arguments) -> Option<(&'static Row, Arguments, Arguments)> {
    let mode = match arguments.get("padding_mode").map(|_| arguments.word("padding_mode"))? {
        "reflect" => "reflection_pad2d",
        "replicate" => "replication_pad2d",
        "circular" => "circular_pad2d",
        _ => return None,
    };
    let sides = arguments.padding();
    if sides.iter().all(|side| side.known() == Some(0)) {
        return None;
    }
    let row = ROWS.iter().find(|row| row.name == mode).expect("each mode has a layer");
    let tokens = arguments.setting("padding").tokens.clone();
    let padding = Arguments(vec![("padding", Setting { value: Value::Sides(sides), tokens: tokens.clone() })]);
    let mut rest = arguments.clone();
    for (name, setting) in &mut rest.0 {
        if *name == "padding" {
            *setting = Setting { value: Value::Pair([0, 0].map(Size::Known)), tokens: tokens.clone() };
        }
    }
    Some((row, padding, rest))
}

/// Whether a layer is of sequences, by its name.
pub(crate) fn is_1d(layer: &str) -> bool {
    layer.ends_with("1d")
}

/// What made features of a map.
pub(crate) enum FlatBy {
    /// A `flatten`, behind which nothing needs features.
    Flatten,
    /// A step, as messages call it.
    Step(String),
    /// Nothing: the network takes features.
    Input,
}

impl Site<'_> {
    /// Whether the layer is of sequences: the names of those end so.
    fn is_1d(&self) -> bool {
        is_1d(&self.layer.to_string())
    }

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
    /// Not even whether it is flat.
    Unknown,
}

/// What a layer costs per sample.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) parameters: u128,
    pub(crate) multiply_adds: u128,
}
