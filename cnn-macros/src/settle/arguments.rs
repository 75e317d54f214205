//! Settles the sizes and options of a call against its row of the table. Knows no maps but the names that their sizes
//! have in arithmetic.

use proc_macro2::{Delimiter, Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Expr, ExprLit, Lit};

use super::constant::{self, Meaning, RealValue, Scope};
use crate::error::{Errors, nearest};
use crate::layers::foreign::OPTIONS;
use crate::layers::{Argument, ArgumentKind, Arguments, Default, Row, Setting, Value};
use crate::parse::ast::{Call, Setting as Written};
use crate::plan::{Constant, ConstantType};
use crate::size::{Real, Size};
use crate::span::ours;

/// No size is larger: a map of such a side alone would fill the memory.
const LARGEST: i128 = isize::MAX as i128 / 4;

pub(crate) struct Settle<'a> {
    pub(crate) scope: Scope,
    pub(crate) constants: &'a mut Vec<Constant>,
    pub(crate) errors: &'a mut Errors,
}

impl Settle<'_> {
    /// Every argument of the row; `None` if one is wrong or depends on an unknown map.
    pub(crate) fn arguments(&mut self, call: &Call, row: &'static Row, name: &str) -> Option<Arguments> {
        let mut sound = !call.broken;
        let misplaced = misplaced(call, row);
        let named = sizes_by_name(call, row);
        let mut settled = Arguments(Vec::new());
        let side = sides_by_name(call, row);
        if let Some(side) = side {
            if let Some(size) = call.sizes.first() {
                let text = format!(
                    "{name}: `<{}>` and `{}` are two ways to say one thing\nhelp: keep one",
                    size.to_token_stream(),
                    side.name
                );
                self.errors.note(&side.name, text);
                sound = false;
            }
        } else if call.sizes.len() == row.sizes.len() {
            for (argument, size) in row.sizes.iter().zip(&call.sizes) {
                match self.value(argument, Some(size), size, name) {
                    Some(value) => settled.0.push((argument.name, Setting { value, tokens: size.to_token_stream() })),
                    None => sound = false,
                }
            }
        } else if misplaced.is_empty() {
            match named.first() {
                Some(first) => self.errors.note(&first.name, sizes_by_name_text(first, call, row, name)),
                // A side by a wrong name is told below.
                None if has_sides(row) && !call.options.is_empty() => {}
                None => self.sizes_mismatch(call, row, name),
            }
            sound = false;
        }
        let one_more =
            self.one_more(&misplaced, row, &options_as_written(call, row), true).filter(|_| call.sizes.is_empty());
        if let Some(text) = misplaced_text(&misplaced, one_more, call, row, name) {
            self.errors.note(misplaced.iter().copied().cloned().collect::<TokenStream>(), text);
            sound = false;
        }
        for (index, written) in call.options.iter().enumerate() {
            if named.iter().any(|size| size.name == written.name) {
                continue;
            }
            if misplaced.iter().any(|part| written.value.is_none() && written.name == part.to_string()) {
                continue;
            }
            sound &= self.option_exists(written, &call.options[..index], row, name);
        }
        for option in row.options {
            let written = call.options.iter().find(|written| written.name == option.name);
            let setting = match written {
                _ if option.kind == ArgumentKind::Later => continue,
                None if matches!(option.default, Default::Absent) => continue,
                // What has no name yet may be it.
                None if matches!(option.default, Default::Required) && !misplaced.is_empty() => None,
                None if matches!(option.default, Default::Required) => {
                    let form: Vec<_> =
                        row.options.iter().map(|option| format!("{} = {}", option.name, example(option))).collect();
                    let text = format!("{name}: {} is missing\nhelp: `{}({})`", option.name, row.name, form.join(", "));
                    self.errors.note(&call.name, text);
                    None
                }
                Some(written) => self
                    .value(option, written.value.as_ref(), &written.name, name)
                    .map(|value| Setting { value, tokens: written.value.to_token_stream() }),
                None => default(option, &settled).map(|value| Setting { value, tokens: call.name.to_token_stream() }),
            };
            match setting {
                Some(setting) => settled.0.push((option.name, setting)),
                None => sound = false,
            }
        }
        if side.is_some() {
            let of = |name| match settled.get(name) {
                Some(Setting { value: Value::Count(size), .. }) => size.clone(),
                _ => Size::Known(0),
            };
            let value = Value::Sides(["top", "bottom", "left", "right"].map(of));
            settled.0.push((row.sizes[0].name, Setting { value, tokens: call.name.to_token_stream() }));
        }
        sound.then_some(settled)
    }

    fn sizes_mismatch(&mut self, call: &Call, row: &Row, name: &str) {
        let found = call.sizes.len();
        if let Some(text) = self.size_too_many(call, row, name) {
            let size = if row.sizes.is_empty() { 0 } else { found - 1 };
            self.errors.note(&call.sizes[size], text);
            return;
        }
        // What is there stays where it is.
        let is_written = |index: usize| found < row.sizes.len() && index < found;
        let wanted = row.sizes.iter().enumerate();
        let wanted: Vec<_> = wanted
            .map(|(index, size)| match is_written(index) {
                true => between_angles(&call.sizes[index].to_token_stream()),
                false => size.name.to_owned(),
            })
            .collect();
        let form = format!("`{}<{}>`", row.name, wanted.join(", "));
        let text = match (wanted.get(found), wanted.len()) {
            (Some(missing), _) => format!("{name}: {missing} is missing\nhelp: {form}"),
            (None, 0) => format!("{name}: `{}` takes no sizes\nhelp: `{}` alone", row.name, row.name),
            (None, 1) => format!("{name}: `{}` takes one size, not {found}\nhelp: {form}", row.name),
            (None, takes) => format!("{name}: `{}` takes {takes} sizes, not {found}\nhelp: {form}", row.name),
        };
        let text = if found > wanted.len() && !row.options.is_empty() {
            format!("{text}; options go in parentheses, by name")
        } else if found == 0 && has_sides(row) {
            format!("{text}, or its sides by name, `{}(left = 1, bottom = 1)`", row.name)
        } else {
            text
        };
        match call.sizes.get(wanted.len()) {
            Some(size) => self.errors.note(size, text),
            None => self.errors.note(&call.name, text),
        }
    }

    /// Sizes of another library's order: with those of the input, or with options among them.
    fn size_too_many(&self, call: &Call, row: &Row, name: &str) -> Option<String> {
        let sizes: Vec<_> = call.sizes.iter().map(|size| between_angles(&size.to_token_stream())).collect();
        if has_sides(row)
            && let [_, _, _, _] = call.sizes.as_slice()
        {
            let parts: Vec<_> = call.sizes.iter().map(ToTokens::to_token_stream).collect();
            return four_text(&parts.iter().collect::<Vec<_>>(), row, name);
        }
        if row.sizes.is_empty()
            && let [size] = sizes.as_slice()
        {
            let option = option_for(row)?;
            let row = row.name;
            return Some(format!(
                "{name}: `{row}` takes no sizes\nhelp: `{row}({} = {size})`: options go in parentheses, by name",
                option.name
            ));
        }
        let parts: Vec<_> = call.sizes.iter().map(ToTokens::to_token_stream).collect();
        let help = self.one_more(&parts.iter().collect::<Vec<_>>(), row, &options_as_written(call, row), false)?;
        let takes = row.sizes.len();
        let takes = if takes == 1 { "one size".to_owned() } else { format!("{takes} sizes") };
        Some(format!("{name}: `{}` takes {takes}, not {}\nhelp: {help}", row.name, sizes.len()))
    }

    /// What is meant by one size more than there are: that of the input, which PyTorch has first, a side of a kernel, or a stride.
    fn one_more(&self, parts: &[&TokenStream], row: &Row, options: &str, is_pytorch: bool) -> Option<String> {
        let sizes: Vec<_> = parts.iter().copied().map(between_angles).collect();
        let ([first, rest @ ..], [size, ..]) = (sizes.as_slice(), row.sizes) else { return None };
        if rest.len() != row.sizes.len() {
            return None;
        }
        let is_input = || match self.scope.names.iter().find(|(known, _)| known == "channels") {
            Some((_, Meaning::Size(Size::Known(channels)))) => {
                let size = syn::parse2::<Expr>(parts[0].clone()).map(|size| self.scope.fold(&size));
                matches!(size, Ok(Ok(constant::Value::Known(number))) if number == i128::from(*channels))
            }
            _ => false,
        };
        let is_window = row.sizes.last()?.kind == ArgumentKind::Pair(1);
        if let Some(what) = size.name.strip_prefix("out_")
            && (is_pytorch || !is_window || is_input())
        {
            let form = format!("`{}<{}>{options}`", row.name, rest.join(", "));
            return Some(format!("{form}; the {first} {what} of its input are known"));
        }
        if !is_window {
            return None;
        }
        let (behind, before) = sizes.split_last()?;
        let (kernel, before) = before.split_last()?;
        let before: String = before.iter().map(|size| format!("{size}, ")).collect();
        let pair =
            format!("`{}<{before}({kernel}, {behind})>{options}` of height {kernel} and width {behind}", row.name);
        let stride = row.options.iter().find(|option| option.name == "stride" && options.is_empty());
        Some(match stride {
            Some(stride) => format!("{pair}, or `{}<{before}{kernel}>({} = {behind})`", row.name, stride.name),
            None => pair,
        })
    }

    fn option_exists(&mut self, written: &Written, before: &[Written], row: &Row, name: &str) -> bool {
        let Some(option) = row.options.iter().find(|option| written.name == option.name) else {
            let text = unknown_option(written, row, name);
            self.errors.note(&written.name, text);
            return false;
        };
        if before.iter().any(|earlier| earlier.name == written.name) {
            self.errors.note(&written.name, format!("{name}: `{}` is given twice\nhelp: keep one", written.name));
            return false;
        }
        if option.kind == ArgumentKind::Later {
            self.errors.note(&written.name, format!("{name}: `{}` comes with a later version", option.name));
            return false;
        }
        true
    }

    fn value(&mut self, argument: &Argument, value: Option<&Expr>, at: impl ToTokens, name: &str) -> Option<Value> {
        let what = format!("{name}: {}", argument.name);
        let value = value.map(|value| bare(self.scope.resolve(bare(value))).clone());
        let value = value.as_ref();
        if let Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) = value
            && words(argument.kind).contains(&text.value().as_str())
        {
            let help = format!("`{} = {}`", argument.name, text.value());
            self.errors.note(value, format!("{what} takes the word without quotes\nhelp: {help}"));
            return None;
        }
        if let Some(text) = value.and_then(|value| foreign_value(argument, value)) {
            self.errors.note(value, format!("{what}{text}"));
            return None;
        }
        match (argument.kind, value) {
            (ArgumentKind::Flag, None) => Some(Value::Truth(true)),
            (ArgumentKind::Flag, Some(value)) => match truth(value) {
                Some(truth) => Some(Value::Truth(truth)),
                None => {
                    self.errors.note(value, format!("{what} is a flag\nhelp: write `{}` alone", argument.name));
                    None
                }
            },
            (_, None) => {
                self.errors
                    .note(at, format!("{what} wants a value\nhelp: `{} = {}`", argument.name, example(argument)));
                None
            }
            (ArgumentKind::Count, Some(value)) => self.number(value, &what, 1).map(Value::Count),
            (ArgumentKind::Index | ArgumentKind::Side, Some(value)) => self.number(value, &what, 0).map(Value::Count),
            (ArgumentKind::Pair(least), Some(value)) => self.pair(value, &what, least).map(Value::Pair),
            (ArgumentKind::Factors, Some(value)) => self.factors(value, &what),
            (ArgumentKind::Sides { same }, Some(value)) => self.sides(value, &what, same),
            (ArgumentKind::Truth, Some(value)) => {
                let truth = truth(value);
                if truth.is_none() {
                    self.errors.note(value, format!("{what} is `true` or `false`"));
                }
                truth.map(Value::Truth)
            }
            (ArgumentKind::ProbabilityOrNone, Some(Expr::Path(path))) if path.path.is_ident("none") => {
                Some(Value::Nothing)
            }
            (ArgumentKind::ProbabilityOrNone, Some(value)) if value.to_token_stream().to_string() == "None" => {
                self.errors
                    .note(value, format!("{what} is `none` here, and not `None`\nhelp: `{} = none`", argument.name));
                None
            }
            (ArgumentKind::Probability | ArgumentKind::ProbabilityOrNone, Some(value)) => {
                self.probability(value, &what)
            }
            (ArgumentKind::Number(_) | ArgumentKind::Positive | ArgumentKind::Finite, Some(value)) => {
                self.real(value, argument, &what)
            }
            (ArgumentKind::Word(words), Some(value)) => self.word(value, &what, words),
            (ArgumentKind::Later, Some(_)) => None,
        }
    }

    fn pair(&mut self, value: &Expr, what: &str, least: u64) -> Option<[Size; 2]> {
        match value {
            Expr::Tuple(tuple) => match tuple.elems.iter().collect::<Vec<_>>().as_slice() {
                [vertical, horizontal] => {
                    let [vertical, horizontal] =
                        [vertical, horizontal].map(|size| self.number(bare(size), what, least));
                    Some([vertical?, horizontal?])
                }
                elements => {
                    let text = format!("{what} has {} numbers\nhelp: one, or `(vertical, horizontal)`", elements.len());
                    self.errors.note(tuple, text);
                    None
                }
            },
            value => {
                let number = self.number(value, what, least)?;
                Some([number.clone(), number])
            }
        }
    }

    fn factors(&mut self, value: &Expr, what: &str) -> Option<Value> {
        let elements: Vec<_> = match value {
            Expr::Tuple(tuple) => {
                tuple.elems.iter().map(|element| bare(self.scope.resolve(bare(element))).clone()).collect()
            }
            value => vec![value.clone()],
        };
        if let Some((element, text)) = elements.iter().find_map(|element| Some((element, self.scope.rounded(element)?)))
        {
            self.errors.note(element, format!("{what}: {text}"));
            return None;
        }
        let [vertical, horizontal] = match elements.as_slice() {
            [one] if self.may_be_fraction(one) => [one, one],
            [vertical, horizontal] if self.may_be_fraction(vertical) || self.may_be_fraction(horizontal) => {
                [vertical, horizontal]
            }
            _ => return self.pair(value, what, 1).map(Value::Pair),
        };
        let range = quote!(Factor);
        let [vertical, horizontal] = [vertical, horizontal].map(|factor| match self.fraction(factor, what, &range) {
            Ok(None) => Err(factor.to_token_stream()),
            Ok(Some(Real::Known(number))) if number <= 0.0 => Err(factor.to_token_stream()),
            Ok(Some(factor)) => Ok(Some(factor)),
            Err(()) => Ok(None),
        });
        match (vertical, horizontal) {
            (Ok(vertical), Ok(horizontal)) => Some(Value::Factors([vertical?, horizontal?])),
            _ => {
                self.errors.note(value, format!("{what} wants numbers above 0, such as `1.5` or `(1.5, 2)`"));
                None
            }
        }
    }

    fn sides(&mut self, value: &Expr, what: &str, same: bool) -> Option<Value> {
        match value {
            Expr::Path(path) if same && path.path.is_ident("same") => Some(Value::Same),
            Expr::Tuple(tuple) => match tuple.elems.iter().collect::<Vec<_>>().as_slice() {
                [top, bottom, left, right] => {
                    let sides = [top, bottom, left, right].map(|size| self.number(bare(size), what, 0));
                    let [top, bottom, left, right] = sides;
                    Some(Value::Sides([top?, bottom?, left?, right?]))
                }
                [_, _] => self.pair(value, what, 0).map(Value::Pair),
                elements => {
                    let count = elements.len();
                    let forms = "one, `(vertical, horizontal)`, or `(top, bottom, left, right)`";
                    self.errors.note(tuple, format!("{what} has {count} numbers\nhelp: {forms}"));
                    None
                }
            },
            value => self.pair(value, what, 0).map(Value::Pair),
        }
    }

    /// One number, at least `least`; one that only rustc knows becomes a constant.
    pub(crate) fn number(&mut self, value: &Expr, what: &str, least: u64) -> Option<Size> {
        if let Expr::Tuple(_) = value {
            self.errors.note(value, format!("{what} is one number, not several"));
            return None;
        }
        match self.scope.fold(value) {
            Ok(constant::Value::Known(number)) => {
                if number < i128::from(least) {
                    self.errors.note(
                        value,
                        format!("{what} is {number}\nhelp: {what_short} >= {least}", what_short = short(what)),
                    );
                    None
                } else if number > LARGEST {
                    self.errors.note(value, format!("{what} overflows: {number} values are more than memory can have"));
                    None
                } else {
                    u64::try_from(number).ok().map(Size::Known)
                }
            }
            Ok(constant::Value::Const(tokens)) => {
                let (name, what) = what.rsplit_once(": ").unwrap_or(("", what));
                let least = Literal::u64_unsuffixed(least);
                let check = quote!(::cnn_core::shape::check::size(#name, #what, #least, #tokens));
                let name = self.constant(ConstantType::Given, check, value);
                Some(Size::Const(quote!(#name.size)))
            }
            Ok(constant::Value::Unknown) => None,
            Err(mistake) => {
                self.errors.note(mistake.tokens, format!("{what}: {}", mistake.text));
                None
            }
        }
    }

    fn probability(&mut self, value: &Expr, what: &str) -> Option<Value> {
        match self.fraction(value, what, &quote!(Probability)) {
            Ok(Some(Real::Known(p))) if !(0.0..=1.0).contains(&p) => {
                self.errors.note(value, format!("{what} = {p} is no probability\nhelp: a number from 0 to 1"));
                None
            }
            Ok(Some(p)) => Some(Value::Real(p)),
            Ok(None) => {
                self.errors.note(value, format!("{what} wants a number from 0 to 1, such as `0.5`"));
                None
            }
            Err(()) => None,
        }
    }

    fn real(&mut self, value: &Expr, argument: &Argument, what: &str) -> Option<Value> {
        let (range, bound) = match argument.kind {
            ArgumentKind::Number(least) => {
                let number = Literal::f64_unsuffixed(least);
                (quote!(AtLeast(#number)), format!("{} >= {least}", argument.name))
            }
            ArgumentKind::Positive => (quote!(Positive), format!("{} > 0", argument.name)),
            _ => (quote!(Finite), "a finite number".to_owned()),
        };
        let within = |number: f64| match argument.kind {
            ArgumentKind::Number(least) => number.is_finite() && number >= least,
            ArgumentKind::Positive => number.is_finite() && number > 0.0,
            _ => number.is_finite(),
        };
        match self.fraction(value, what, &range) {
            Ok(Some(Real::Known(number))) if !within(number) => {
                self.errors.note(value, format!("{what} is {number}\nhelp: {bound}"));
                None
            }
            Ok(Some(number)) => Some(Value::Real(number)),
            Ok(None) => {
                self.errors.note(value, format!("{what} wants a number, such as `{}`", example(argument)));
                None
            }
            Err(()) => None,
        }
    }

    /// A number that may have a fraction, `None` if it is none; one that only rustc knows becomes a constant, which rustc
    /// holds to its range. `Err` after a mistake that was noted, or that an unknown map took away.
    fn fraction(&mut self, value: &Expr, what: &str, range: &TokenStream) -> Result<Option<Real>, ()> {
        match self.scope.real(value) {
            Ok(RealValue::Known(number)) => Ok(Some(Real::Known(number))),
            Ok(RealValue::None) => Ok(None),
            Ok(RealValue::Unknown) => Err(()),
            Ok(RealValue::Const(tokens)) => {
                let (name, what) = what.rsplit_once(": ").unwrap_or(("", what));
                let range = quote!(::cnn_core::shape::check::Range::#range);
                // Of a constant that is no number, rustc says so where it is written.
                let mut spans = value.to_token_stream().into_iter().map(|token| token.span());
                let start = spans.next().unwrap_or_else(Span::mixed_site);
                let at = ours(spans.last().unwrap_or(start));
                let number = quote_spanned!(at=> #tokens as f64);
                let check = quote!(::cnn_core::shape::check::real(#name, #what, #range, #number));
                let name = self.constant(ConstantType::Real, check, value);
                Ok(Some(Real::Const(name.to_token_stream())))
            }
            Err(mistake) => {
                self.errors.note(mistake.tokens, format!("{what}: {}", mistake.text));
                Err(())
            }
        }
    }

    /// Whether it has a fraction, or is for rustc to evaluate.
    fn may_be_fraction(&self, value: &Expr) -> bool {
        match self.scope.real(value) {
            Ok(RealValue::Known(_)) => value.to_token_stream().to_string().contains('.'),
            Ok(RealValue::Const(_)) => true,
            _ => false,
        }
    }

    fn word(&mut self, value: &Expr, what: &str, words: &[&'static str]) -> Option<Value> {
        let written = value.to_token_stream().to_string();
        let word = words.iter().find(|word| **word == written);
        if word.is_none() {
            let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
            self.errors.note(value, format!("{what} is {}", words.join(" or ")));
        }
        word.map(|word| Value::Word(word))
    }

    /// A constant for rustc to evaluate; its mistake is underlined at `tokens`.
    pub(crate) fn constant(&mut self, of: ConstantType, value: TokenStream, tokens: impl ToTokens) -> Ident {
        let index = self.constants.len();
        let kind = match of {
            ConstantType::Given => "SIZE",
            ConstantType::Real => "NUMBER",
            ConstantType::Made => "MAP",
        };
        let mut spans = tokens.into_token_stream().into_iter().map(|token| ours(token.span()));
        let start = spans.next().unwrap_or_else(Span::mixed_site);
        let end = spans.last().unwrap_or(start);
        let name = format_ident!("__{kind}_{index}", span = start);
        let report = format_ident!("__REPORT_{index}", span = start);
        self.constants.push(Constant { name: name.clone(), report, of, value, end });
        name
    }
}

fn default(option: &Argument, settled: &Arguments) -> Option<Value> {
    match option.default {
        Default::Required | Default::Absent => None,
        Default::Number(number) if option.kind == ArgumentKind::Count => Some(Value::Count(Size::Known(number))),
        Default::Number(number) => Some(Value::Pair([number, number].map(Size::Known))),
        Default::SameAs(other) => settled.get(other).map(|setting| setting.value.clone()),
        Default::Truth(truth) => Some(Value::Truth(truth)),
        Default::Probability(number) | Default::Real(number) => Some(Value::Real(Real::Known(number))),
        Default::Word(word) => Some(Value::Word(word)),
    }
}

/// Without parentheses and the invisible brackets of `macro_rules!`.
fn bare(value: &Expr) -> &Expr {
    match value {
        Expr::Group(group) => bare(&group.expr),
        Expr::Paren(paren) => bare(&paren.expr),
        other => other,
    }
}

/// Why a value is none here, if it is one in other libraries.
fn foreign_value(argument: &Argument, value: &Expr) -> Option<String> {
    let tokens = value.to_token_stream();
    let text = tokens.to_string();
    let is_sizes = matches!(argument.kind, ArgumentKind::Pair(_) | ArgumentKind::Sides { .. } | ArgumentKind::Factors);
    let is_same = argument.kind == ArgumentKind::Sides { same: true };
    match (argument.name, text.trim_matches('"')) {
        ("padding", "valid") => {
            Some(" has no word `valid`: none is the default\nhelp: leave it out, or `padding = 0`".to_owned())
        }
        ("padding", "same") if !is_same => Some(
            " has no word `same`, which is for `conv2d`\nhelp: a number, such as `padding = 1` for a kernel of 3"
                .to_owned(),
        ),
        _ if is_sizes => match Vec::from_iter(tokens).as_slice() {
            [TokenTree::Group(group)] if group.delimiter() == Delimiter::Bracket => {
                let numbers = group.stream().to_string().replace(" ,", ",");
                Some(format!(": several numbers stand in round brackets\nhelp: `({numbers})`"))
            }
            _ => None,
        },
        _ => None,
    }
}

fn truth(value: &Expr) -> Option<bool> {
    match value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Bool(truth) => Some(truth.value),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn example(argument: &Argument) -> String {
    match (argument.kind, argument.default) {
        (ArgumentKind::Truth | ArgumentKind::Flag, _) => "true".to_owned(),
        (ArgumentKind::Probability | ArgumentKind::ProbabilityOrNone, _) => "0.5".to_owned(),
        (ArgumentKind::Word(words), _) => words.join(" or "),
        (_, Default::Real(number)) => number.to_string(),
        _ => "2".to_owned(),
    }
}

/// `conv1: stride` without the step.
fn short(what: &str) -> &str {
    what.rsplit_once(": ").map_or(what, |(_, short)| short)
}

/// What stands between round brackets and is no option: by its look, or because the sizes are missing.
fn misplaced<'a>(call: &'a Call, row: &Row) -> Vec<&'a TokenStream> {
    let is_name = |part: &TokenStream| syn::parse2::<Ident>(part.clone()).is_ok();
    let is_option = |part: &TokenStream| row.options.iter().any(|option| part.to_string() == option.name);
    let parts = call.alone.iter();
    parts.filter(|part| !is_option(part) && (!row.sizes.is_empty() || !is_name(part))).collect()
}

fn misplaced_text(
    misplaced: &[&TokenStream],
    one_more: Option<String>,
    call: &Call,
    row: &Row,
    name: &str,
) -> Option<String> {
    if misplaced.is_empty() {
        return None;
    }
    if row.sizes.is_empty() {
        let is_any = row.options.iter().any(|option| option.kind != ArgumentKind::Later);
        return Some(match option_for(row) {
            _ if !is_any => has_no_options(row, name),
            Some(option) => {
                format!("{name}: an option goes by its name\nhelp: `{}({} = {})`", row.name, option.name, misplaced[0])
            }
            // PyTorch's first argument is their number.
            None if row.options[0].kind == ArgumentKind::Positive => {
                format!(
                    "{name}: the channels of its input are known\nhelp: `{}` alone; options go by their names",
                    row.name
                )
            }
            None => {
                let option = &row.options[0];
                format!(
                    "{name}: an option goes by its name\nhelp: `{}({} = {})`",
                    row.name,
                    option.name,
                    example(option)
                )
            }
        });
    }
    let mut sizes: Vec<_> = misplaced.iter().copied().map(between_angles).collect();
    if has_sides(row)
        && let Some(text) = four_text(misplaced, row, name)
    {
        return Some(text);
    }
    if sizes.len() != row.sizes.len() || !sizes_by_name(call, row).is_empty() {
        sizes = row.sizes.iter().map(|size| size.name.to_owned()).collect();
    }
    let form = format!("`{}<{}>{}`", row.name, sizes.join(", "), options_as_written(call, row));
    let form = one_more.unwrap_or(form);
    Some(format!("{name}: sizes go between angle brackets, and options between round ones\nhelp: {form}"))
}

/// `(stride = 2)`, of what has a value and is no size.
fn options_as_written(call: &Call, row: &Row) -> String {
    let is_size = |option: &Written| row.sizes.iter().any(|size| option.name == size.name);
    let options = call.options.iter().filter(|option| !is_size(option));
    let options = options.filter_map(|option| {
        let value = option.value.as_ref()?.to_token_stream().to_string().replace(" ,", ",");
        Some(format!("{} = {value}", option.name))
    });
    let options: Vec<_> = options.collect();
    if options.is_empty() { String::new() } else { format!("({})", options.join(", ")) }
}

/// The first of the sides that stand for the size of all of them.
fn sides_by_name<'a>(call: &'a Call, row: &Row) -> Option<&'a Written> {
    let is_side = |written: &&Written| {
        row.options.iter().any(|option| option.kind == ArgumentKind::Side && written.name == option.name)
    };
    call.options.iter().find(is_side)
}

/// Sizes that stand between round brackets by their names, as PyTorch's may, where they are missing.
fn sizes_by_name<'a>(call: &'a Call, row: &Row) -> Vec<&'a Written> {
    if call.sizes.len() >= row.sizes.len() {
        return Vec::new();
    }
    call.options.iter().filter(|option| row.sizes.iter().any(|size| option.name == size.name)).collect()
}

fn sizes_by_name_text(first: &Written, call: &Call, row: &Row, name: &str) -> String {
    let sizes = row.sizes.iter().enumerate().map(|(index, size)| {
        let by_name = || call.options.iter().find(|option| option.name == size.name)?.value.as_ref();
        let value = call.sizes.get(index).or_else(by_name);
        value.map_or_else(|| size.name.to_owned(), |value| between_angles(&value.to_token_stream()))
    });
    let form = sizes.collect::<Vec<_>>().join(", ");
    let options = options_as_written(call, row);
    format!("{name}: {} goes between angle brackets\nhelp: `{}<{form}>{options}`", first.name, row.name)
}

fn has_sides(row: &Row) -> bool {
    row.options.iter().any(|option| option.kind == ArgumentKind::Side)
}

/// The option that a number alone is probably meant for.
fn option_for(row: &Row) -> Option<&Argument> {
    let is_meant = |kind| {
        matches!(kind, ArgumentKind::Probability | ArgumentKind::Factors | ArgumentKind::Finite | ArgumentKind::Count)
    };
    let first = row.options.first()?;
    // Those of a normalization are none of its channels.
    row.options.iter().find(|option| is_meant(option.kind)).filter(|_| first.kind != ArgumentKind::Positive)
}

fn has_no_options(row: &Row, name: &str) -> String {
    format!("{name}: `{}` has no options\nhelp: `{}` alone", row.name, row.name)
        .replace("` alone", if row.sizes.is_empty() { "` alone" } else { "<..>` alone" })
}

/// Four sides without names, which PyTorch has in another order.
fn four_text(parts: &[&TokenStream], row: &Row, name: &str) -> Option<String> {
    let [a, b, c, d] = four(parts)?;
    Some(format!(
        "{name}: four sides without names are left, right, top, bottom in PyTorch, and top, bottom, left, right here\n\
         help: `{row}(left = {a}, right = {b}, top = {c}, bottom = {d})`, or `{row}<({a}, {b}, {c}, {d})>` in the order of here",
        row = row.name
    ))
}

/// Four values, one after the other or in brackets.
pub(crate) fn four(parts: &[&TokenStream]) -> Option<[String; 4]> {
    let text = |expression: &Expr| expression.to_token_stream().to_string();
    let parts: Vec<String> = match parts {
        [one] => match syn::parse2::<Expr>((*one).clone()).ok()? {
            Expr::Tuple(tuple) => tuple.elems.iter().map(text).collect(),
            _ => return None,
        },
        parts => parts.iter().map(ToString::to_string).collect(),
    };
    parts.try_into().ok()
}

/// What may stand for a value of this kind beside numbers.
fn words(kind: ArgumentKind) -> &'static [&'static str] {
    match kind {
        ArgumentKind::Word(words) => words,
        ArgumentKind::Sides { same: true } => &["same"],
        ArgumentKind::ProbabilityOrNone => &["none"],
        _ => &[],
    }
}

/// An expression as it may stand between angle brackets.
pub(crate) fn between_angles(expression: &TokenStream) -> String {
    let text = expression.to_string().replace(" ,", ",");
    if expression.clone().into_iter().count() == 1 { text } else { format!("{{{text}}}") }
}

fn unknown_option(option: &Written, row: &Row, name: &str) -> String {
    let written = &option.name.to_string();
    if written == "activation" {
        let value = option.value.to_token_stream().to_string();
        let word =
            if value.chars().all(|letter| letter.is_ascii_lowercase()) && !value.is_empty() { &value } else { "relu" };
        return format!(
            "{name}: `{}` has no option `activation`\nhelp: it is a step of its own: `{}<..>, {word}`",
            row.name, row.name
        )
        .replace("<..>", if row.sizes.is_empty() { "" } else { "<..>" });
    }
    let there = row.options.iter().filter(|option| option.kind != ArgumentKind::Later);
    let known: Vec<_> = there.map(|option| option.name).collect();
    if let Some(size) = row.sizes.iter().find(|size| size.name == written) {
        let form: Vec<_> = row.sizes.iter().map(|size| size.name).collect();
        return format!("{name}: {} is no option\nhelp: sizes go in `{}<{}>`", size.name, row.name, form.join(", "));
    }
    if known.is_empty() {
        return has_no_options(row, name);
    }
    let there = OPTIONS.iter().find(|(there, here)| there == written && known.contains(here)).map(|(_, here)| *here);
    match there.or_else(|| nearest(written, known.iter().copied())) {
        Some(meant) => format!("{name}: `{}` has no option `{written}`\nhelp: did you mean `{meant}`?", row.name),
        None => format!("{name}: `{}` has no option `{written}`\nhelp: it has {}", row.name, known.join(", ")),
    }
}
