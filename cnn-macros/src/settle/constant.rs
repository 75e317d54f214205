//! Folds integer arithmetic, so that sizes stay literal. What it cannot see, rustc evaluates. Knows no layers.

use proc_macro2::{Delimiter, Group, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{BinOp, Expr, ExprBinary, ExprPath, Ident, Lit, UnOp, parse_quote};

use crate::parse::in_braces;
use crate::size::Size;
use crate::span::ours;

/// The names that an expression may use, and what they stand for.
#[derive(Default)]
pub(crate) struct Scope {
    pub(crate) names: Vec<(String, Meaning)>,
}

/// What a name stands for.
#[derive(Clone)]
pub(crate) enum Meaning {
    Size(Size),
    /// What is no number: a pair, a truth, a word.
    Other(Expr),
    /// Why it stands for nothing here.
    Nothing(String),
    /// An earlier mistake took it away, and was reported.
    Unknown,
}

/// The value of an expression.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Known(i128),
    /// An expression of type `usize` for rustc to evaluate.
    Const(TokenStream),
    /// Depends on something that an earlier mistake took away.
    Unknown,
}

/// The value of an expression that may have a fraction.
#[derive(Debug, Clone)]
pub(crate) enum RealValue {
    Known(f64),
    /// An expression for rustc, of any type that is cast to `f64`.
    Const(TokenStream),
    /// It is no number.
    None,
    /// Depends on something that an earlier mistake took away.
    Unknown,
}

/// What is wrong with a part of an expression.
#[derive(Debug)]
pub(crate) struct Mistake {
    pub(crate) tokens: TokenStream,
    pub(crate) text: String,
}

impl Mistake {
    fn new(tokens: impl ToTokens, text: impl Into<String>) -> Self {
        Self { tokens: tokens.into_token_stream(), text: text.into() }
    }
}

impl Scope {
    /// An argument of a block as its body sees it: nothing in it is a name of the scope around the call any more.
    pub(crate) fn settle(&self, argument: &Expr) -> Result<Meaning, Mistake> {
        if let Expr::Path(path) = argument
            && let Some(Meaning::Other(other)) = self.named(path)
        {
            return Ok(Meaning::Other(other.clone()));
        }
        match argument {
            Expr::Group(inner) => self.settle(&inner.expr),
            Expr::Paren(inner) => self.settle(&inner.expr),
            Expr::Lit(literal) if !matches!(literal.lit, Lit::Int(_)) => Ok(Meaning::Other(argument.clone())),
            Expr::Tuple(tuple) => {
                let mut settled = tuple.clone();
                for element in &mut settled.elems {
                    *element = match self.settle(element)? {
                        Meaning::Size(size) => parse_quote!(#size),
                        Meaning::Other(other) => other,
                        Meaning::Nothing(why) => return Err(Mistake::new(element, why)),
                        Meaning::Unknown => return Ok(Meaning::Unknown),
                    };
                }
                Ok(Meaning::Other(Expr::Tuple(settled)))
            }
            Expr::Path(path) if path.path.get_ident().is_some_and(|name| name == "same") => {
                Ok(Meaning::Other(argument.clone()))
            }
            other => Ok(match self.whole_or_fraction(other)? {
                Value::Known(number) => match u64::try_from(number) {
                    Ok(number) => Meaning::Size(Size::Known(number)),
                    Err(_) => return Err(Mistake::new(other, format!("{number} is no size"))),
                },
                Value::Const(tokens) => Meaning::Size(Size::Const(tokens)),
                Value::Unknown => Meaning::Unknown,
            }),
        }
    }

    /// The value of an argument of which nobody knows yet whether it must be whole.
    fn whole_or_fraction(&self, argument: &Expr) -> Result<Value, Mistake> {
        self.fold(argument).or_else(|mistake| match self.real(argument) {
            Ok(RealValue::Known(number)) => {
                let (size, sign) = (Literal::f64_unsuffixed(number.abs()), (number < 0.0).then(|| quote!(-)));
                Ok(Value::Const(quote!(#sign #size)))
            }
            Ok(RealValue::Const(tokens)) => Ok(Value::Const(tokens)),
            _ => Err(mistake),
        })
    }

    /// What stands for an argument that is a name of this scope and no number.
    pub(crate) fn resolve<'a>(&'a self, value: &'a Expr) -> &'a Expr {
        match value {
            Expr::Path(path) => match self.named(path) {
                Some(Meaning::Other(other)) => other,
                _ => value,
            },
            _ => value,
        }
    }

    fn named(&self, path: &ExprPath) -> Option<&Meaning> {
        path.path.get_ident().and_then(|name| self.meaning(name))
    }

    fn meaning(&self, name: &Ident) -> Option<&Meaning> {
        self.names.iter().find(|(known, _)| name == known.as_str()).map(|(_, meaning)| meaning)
    }

    /// The value of `expression`, or the mistake in it.
    pub(crate) fn fold(&self, expression: &Expr) -> Result<Value, Mistake> {
        let folded = match expression {
            Expr::Lit(literal) => {
                let Lit::Int(number) = &literal.lit else {
                    return Err(Mistake::new(literal, "expected a whole number"));
                };
                if let Some(rest) =
                    number.suffix().strip_prefix('x').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
                {
                    let sizes = format!("{}, {}", number.base10_digits(), rest.replace('x', ", "));
                    let help = if rest.contains('x') { sizes } else { format!("({sizes})") };
                    return Err(Mistake::new(number, format!("several numbers are apart by commas\nhelp: `{help}`")));
                }
                if !matches!(number.suffix(), "" | "usize") {
                    return Err(Mistake::new(number, format!("a size is a `usize`, not a `{}`", number.suffix())));
                }
                return number
                    .base10_parse()
                    .map(Value::Known)
                    .map_err(|_| Mistake::new(number, "this number overflows"));
            }
            Expr::Path(path) => match self.named(path) {
                Some(Meaning::Size(Size::Known(number))) => Some(Value::Known(i128::from(*number))),
                Some(Meaning::Size(Size::Const(tokens))) => Some(Value::Const(tokens.clone())),
                Some(Meaning::Other(other)) => return Err(Mistake::new(path, no_number(path, other))),
                Some(Meaning::Nothing(why)) => return Err(Mistake::new(path, why)),
                Some(Meaning::Unknown) => Some(Value::Unknown),
                None => None,
            },
            Expr::Paren(inner) => return self.fold(&inner.expr),
            Expr::Group(inner) => return self.fold(&inner.expr),
            Expr::Cast(cast) if cast.ty.to_token_stream().to_string() == "usize" => match self.fold(&cast.expr)? {
                Value::Const(_) => None,
                known => Some(known),
            },
            Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => match self.fold(&unary.expr)? {
                Value::Known(number) => match number.checked_neg() {
                    Some(number) => Some(Value::Known(number)),
                    None => return Err(Mistake::new(unary, "this arithmetic overflows")),
                },
                Value::Const(_) => None,
                Value::Unknown => Some(Value::Unknown),
            },
            Expr::Binary(binary) => self.binary(binary)?,
            // By its tokens: what syn makes of braces depends on whether another crate wants its feature `full`.
            other => match in_braces(other.to_token_stream()).map(syn::parse2) {
                Some(Ok(inner)) => return self.fold(&inner),
                _ => None,
            },
        };
        folded.map_or_else(|| self.for_rustc(expression), Ok)
    }

    /// The value of an expression that may have a fraction. A name in small letters is a word that is none here: constants
    /// have large ones.
    pub(crate) fn real(&self, expression: &Expr) -> Result<RealValue, Mistake> {
        match expression {
            Expr::Group(inner) => return self.real(&inner.expr),
            Expr::Paren(inner) => return self.real(&inner.expr),
            Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
                if let RealValue::Known(number) = self.real(&unary.expr)? {
                    return Ok(RealValue::Known(-number));
                }
            }
            Expr::Lit(literal) => {
                return Ok(match &literal.lit {
                    Lit::Float(float) => float.base10_parse().map_or(RealValue::None, RealValue::Known),
                    Lit::Int(int) => int.base10_parse().map_or(RealValue::None, RealValue::Known),
                    _ => RealValue::None,
                });
            }
            Expr::Path(path) => match self.named(path) {
                Some(Meaning::Other(other)) => return self.real(other),
                None if path.path.get_ident().is_some_and(|name| !name.to_string().contains(char::is_uppercase)) => {
                    return Ok(RealValue::None);
                }
                _ => {}
            },
            Expr::Tuple(_) | Expr::Array(_) | Expr::Reference(_) | Expr::Range(_) => return Ok(RealValue::None),
            // By its tokens, as sizes are.
            other => {
                if let Some(Ok(inner)) = in_braces(other.to_token_stream()).map(syn::parse2) {
                    return self.real(&inner);
                }
            }
        }
        match self.fold(expression) {
            Ok(Value::Known(number)) => match self.rounded(expression) {
                Some(exact) => Err(Mistake::new(expression, exact)),
                None => Ok(RealValue::Known(number as f64)),
            },
            Ok(Value::Const(tokens)) => Ok(RealValue::Const(in_brackets(expression, tokens))),
            Ok(Value::Unknown) => Ok(RealValue::Unknown),
            // Arithmetic with fractions is rustc's.
            Err(_) => match self.for_rustc(expression)? {
                Value::Const(tokens) => Ok(RealValue::Const(in_brackets(expression, tokens))),
                _ => Ok(RealValue::Unknown),
            },
        }
    }

    /// Of a division of whole numbers that Rust rounds where a fraction is probably meant: what to say.
    pub(crate) fn rounded(&self, expression: &Expr) -> Option<String> {
        let Expr::Binary(ExprBinary { left, op: BinOp::Div(_), right, .. }) = expression else { return None };
        let (Ok(Value::Known(left)), Ok(Value::Known(right))) = (self.fold(left), self.fold(right)) else {
            return None;
        };
        let text = || format!("{left} / {right} of whole numbers is {}\nhelp: `{left}.0 / {right}.0`", left / right);
        (left % right != 0).then(text)
    }

    fn binary(&self, binary: &ExprBinary) -> Result<Option<Value>, Mistake> {
        let (left, right) = match (self.fold(&binary.left)?, self.fold(&binary.right)?) {
            (Value::Known(left), Value::Known(right)) => (left, right),
            (Value::Unknown, _) | (_, Value::Unknown) => return Ok(Some(Value::Unknown)),
            _ => return Ok(None),
        };
        let shift = || u32::try_from(right).ok().filter(|bits| *bits < 64);
        let result = match binary.op {
            BinOp::Add(_) => left.checked_add(right),
            BinOp::Sub(_) => left.checked_sub(right),
            BinOp::Mul(_) => left.checked_mul(right),
            BinOp::Div(_) | BinOp::Rem(_) if right == 0 => {
                return Err(Mistake::new(binary, format!("{left} is divided by zero")));
            }
            BinOp::Div(_) => left.checked_div(right),
            BinOp::Rem(_) => left.checked_rem(right),
            BinOp::Shl(_) => shift().and_then(|bits| left.checked_mul(1 << bits)),
            BinOp::Shr(_) => shift().map(|bits| left >> bits),
            _ => return Ok(None),
        };
        match result {
            Some(number) => Ok(Some(Value::Known(number))),
            None => Err(Mistake::new(binary, "this arithmetic overflows")),
        }
    }

    /// The expression with the names of the scope as local constants around it.
    fn for_rustc(&self, expression: &Expr) -> Result<Value, Mistake> {
        let mut used = Vec::new();
        idents(expression.to_token_stream(), &mut used);
        let mut constants = TokenStream::new();
        for (index, name) in used.iter().enumerate() {
            if used[..index].contains(name) {
                continue;
            }
            let size = match self.meaning(name) {
                Some(Meaning::Size(size)) => size,
                Some(Meaning::Other(other)) => return Err(Mistake::new(name, no_number(name, other))),
                Some(Meaning::Nothing(why)) => return Err(Mistake::new(name, why)),
                Some(Meaning::Unknown) => return Ok(Value::Unknown),
                None => continue,
            };
            constants.extend(quote!(#[allow(non_upper_case_globals)] const #name: usize = #size;));
        }
        // Braces of our own: rustc would complain of the user's, where they are not needed.
        let tokens = expression.to_token_stream();
        let expression = match in_braces(tokens.clone()) {
            Some(inner) => inner,
            None if constants.is_empty() => return Ok(Value::Const(tokens)),
            None => tokens,
        };
        Ok(Value::Const(quote!({ #constants #expression })))
    }
}

fn no_number(name: impl ToTokens, meaning: &Expr) -> String {
    format!("`{}` is `{}` here, which is no number", name.to_token_stream(), meaning.to_token_stream())
}

/// The names in an expression that may be those of a scope: none behind a `.` or a `::`, as a field's and a module's are, and
/// none that is called or stands before a `:`.
fn idents(tokens: TokenStream, found: &mut Vec<Ident>) {
    let mut tokens = tokens.into_iter().peekable();
    let mut before = String::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) => {
                let is_other = match tokens.peek() {
                    Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Parenthesis,
                    Some(TokenTree::Punct(punct)) => punct.as_char() == ':',
                    _ => false,
                };
                // Two dots are a range's.
                if !is_other && !before.ends_with("::") && (!before.ends_with('.') || before.ends_with("..")) {
                    found.push(ident);
                }
                before.clear();
            }
            TokenTree::Punct(punct) => before.push(punct.as_char()),
            TokenTree::Group(group) => {
                idents(group.stream(), found);
                before.clear();
            }
            TokenTree::Literal(_) => before.clear(),
        }
    }
}

/// An expression of rustc's as a part of another, where it is written.
fn in_brackets(expression: &Expr, tokens: TokenStream) -> TokenStream {
    let mut group = Group::new(Delimiter::Parenthesis, tokens);
    let first = expression.to_token_stream().into_iter().next();
    group.set_span(first.map_or_else(Span::mixed_site, |first| ours(first.span())));
    group.into_token_stream()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(text: &str) -> String {
        let scope = Scope {
            names: vec![
                ("channels".to_owned(), Meaning::Size(Size::Known(16))),
                ("width".to_owned(), Meaning::Size(Size::Const(quote!(S1[1])))),
                ("height".to_owned(), Meaning::Nothing("no height here".into())),
                ("lost".to_owned(), Meaning::Unknown),
            ],
        };
        match scope.fold(&syn::parse_str(text).unwrap()) {
            Ok(Value::Known(number)) => number.to_string(),
            Ok(Value::Const(tokens)) => tokens.to_string().replace(' ', ""),
            Ok(Value::Unknown) => "unknown".into(),
            Err(mistake) => mistake.text,
        }
    }

    #[test]
    fn integers_and_names_fold() {
        assert_eq!(fold("{ 2 * (3 + 4) - 10 / 3 % 2 }"), "13");
        assert_eq!(fold("{ 6 * channels }"), "96");
        assert_eq!(fold("{ 3 >> 1 << 4 }"), "16");
        assert_eq!(fold("1_000usize"), "1000");
        assert_eq!(fold("{ (channels as usize) + 1 }"), "17");
        assert_eq!(fold("-3"), "-3");
    }

    #[test]
    fn what_only_rustc_sees_is_kept_with_the_names_around_it() {
        assert_eq!(fold("{ CLASSES }"), "CLASSES");
        assert_eq!(fold("crate::config::CLASSES"), "crate::config::CLASSES");
        assert_eq!(fold("{ width }"), "S1[1]");
        assert_eq!(fold("{ f(channels) }"), "{#[allow(non_upper_case_globals)]constchannels:usize=16;f(channels)}");
        assert_eq!(fold("{ lost + CLASSES }"), "unknown");
    }

    #[test]
    fn fields_modules_and_functions_are_no_names_of_the_scope() {
        assert_eq!(fold("{ 2 * CONFIG.height }"), "2*CONFIG.height");
        assert_eq!(fold("{ CONFIG.lost }"), "CONFIG.lost");
        assert_eq!(fold("config::height"), "config::height");
        assert_eq!(fold("{ height() + height::<3>() }"), "height()+height::<3>()");
        assert_eq!(fold("{ Map { height: 3 }.cells() }"), "Map{height:3}.cells()");
        assert_eq!(fold("{ f(0..height) }"), "no height here");
        assert_eq!(fold("{ f(0..=height) }"), "no height here");
        assert_eq!(fold("{ f(height.pow(2)) }"), "no height here");
    }

    #[test]
    fn mistakes_in_arithmetic_are_named() {
        assert_eq!(fold("{ 3 / (2 - 2) }"), "3 is divided by zero");
        assert_eq!(fold("{ 170141183460469231731687303715884105727 + 1 }"), "this arithmetic overflows");
        assert_eq!(fold("999999999999999999999999999999999999999999"), "this number overflows");
        assert_eq!(fold("{ 1 << 200 }"), "this arithmetic overflows");
        assert_eq!(fold("{ height / 2 }"), "no height here");
        assert_eq!(fold("{ f(height) }"), "no height here");
        assert_eq!(fold("2.5"), "expected a whole number");
        assert_eq!(fold("3u8"), "a size is a `usize`, not a `u8`");
    }
}
