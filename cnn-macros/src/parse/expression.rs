//! `|x, y| x * sigmoid(y)`: expressions of values at the same place.

use proc_macro2::{Delimiter, Group, Span, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, ExprLit, ExprPath, Ident, Lit, Token, token};

use super::ast::{Closure, Compared, Condition, Operator, Term};
use super::tokens::whole;

/// Between the round brackets of `map(..)`.
pub(super) fn closure(group: &Group) -> syn::Result<Closure> {
    let parser = |input: ParseStream<'_>| {
        if !input.peek(Token![|]) {
            return Err(input.error("expected a function of the map: `map(|x| x * sigmoid(x))`"));
        }
        input.parse::<Token![|]>()?;
        let mut arguments = Vec::new();
        while !input.peek(Token![|]) {
            if !input.peek(Ident) {
                return Err(input.error("expected the name of a map: `|x|`, `|x, target|`"));
            }
            arguments.push(input.parse()?);
            if input.peek(Token![,]) {
                input.parse::<Token![,]>()?;
            } else if !input.peek(Token![|]) {
                return Err(input.error("expected `,` or `|` behind the name of a map"));
            }
        }
        let bar: Token![|] = input.parse()?;
        if input.is_empty() {
            return Err(syn::Error::new_spanned(bar, "expected what becomes of each value: `|x| x * sigmoid(x)`"));
        }
        let body = if input.peek(token::Brace) { block(input)? } else { term(input)? };
        if input.peek(Token![,]) {
            input.parse::<Token![,]>()?;
        }
        if !input.is_empty() {
            return Err(input.error("expected an operator, or `)`"));
        }
        Ok(Closure { arguments, body })
    };
    // The end of the brackets has no place of its own.
    parser.parse2(group.stream()).map_err(|error| {
        let text = error.to_string();
        match text.strip_prefix("unexpected end of input, ") {
            Some(text) => syn::Error::new(group.span_close(), text),
            None => error,
        }
    })
}

/// An expression of the library's own.
pub(crate) fn built_in(text: &str) -> syn::Result<Closure> {
    let tokens = text.parse()?;
    closure(&Group::new(Delimiter::Parenthesis, tokens))
}

/// `{ let a = ..; .. }`
fn block(input: ParseStream<'_>) -> syn::Result<Term> {
    let group: Group = input.parse()?;
    let end = group.span_close();
    if group.stream().is_empty() {
        return Err(syn::Error::new(group.span(), "expected a value: `{ let a = exp(x); a / (1 + a) }`"));
    }
    let statements = |input: ParseStream<'_>| {
        let value = rest_of_block(input, end)?;
        if input.is_empty() { Ok(value) } else { Err(input.error("expected an operator, or `}`")) }
    };
    statements.parse2(group.stream())
}

fn rest_of_block(input: ParseStream<'_>, end: Span) -> syn::Result<Term> {
    if input.is_empty() {
        return Err(syn::Error::new(end, "expected the value of the block behind the last `;`"));
    }
    if !input.peek(Token![let]) {
        return term(input);
    }
    input.parse::<Token![let]>()?;
    if !input.peek(Ident) {
        return Err(input.error("expected a name: `let a = exp(x);`"));
    }
    let name: Ident = input.parse()?;
    if !input.peek(Token![=]) {
        return Err(input.error(format!("expected `=` behind `let {name}`")));
    }
    input.parse::<Token![=]>()?;
    let value = term(input)?;
    if !input.peek(Token![;]) {
        return Err(input.error("expected an operator, or `;`"));
    }
    input.parse::<Token![;]>()?;
    let rest = rest_of_block(input, end)?;
    Ok(Term::Let { name, value: Box::new(value), rest: Box::new(rest) })
}

/// Sums and differences.
fn term(input: ParseStream<'_>) -> syn::Result<Term> {
    let mut value = product(input)?;
    while input.peek(Token![+]) || input.peek(Token![-]) {
        let operator = if input.peek(Token![+]) { Operator::Add } else { Operator::Subtract };
        input.parse::<TokenTree>()?;
        value = Term::Binary(operator, Box::new(value), Box::new(product(input)?));
    }
    Ok(value)
}

fn product(input: ParseStream<'_>) -> syn::Result<Term> {
    let mut value = factor(input)?;
    while input.peek(Token![*]) || input.peek(Token![/]) {
        let operator = if input.peek(Token![*]) { Operator::Multiply } else { Operator::Divide };
        input.parse::<TokenTree>()?;
        if input.peek(Token![*]) {
            return Err(input.error("there is no `**`\nhelp: `pow(x, 2)`"));
        }
        value = Term::Binary(operator, Box::new(value), Box::new(factor(input)?));
    }
    if input.peek(Token![^]) || input.peek(Token![%]) || input.peek(Token![&]) && !input.peek(Token![&&]) {
        return Err(input.error("there are `+`, `-`, `*` and `/` here\nhelp: a power is `pow(x, 2)`"));
    }
    Ok(value)
}

fn factor(input: ParseStream<'_>) -> syn::Result<Term> {
    if input.peek(Token![-]) {
        input.parse::<Token![-]>()?;
        return Ok(Term::Negative(Box::new(factor(input)?)));
    }
    let mut value = primary(input)?;
    // `x.exp()` is `exp(x)`.
    while input.peek(Token![.]) {
        input.parse::<Token![.]>()?;
        if !input.peek(Ident::peek_any) {
            return Err(input.error("expected a function: `x.exp()`, or `exp(x)`"));
        }
        let function = input.call(Ident::parse_any)?;
        if !input.peek(token::Paren) {
            return Err(syn::Error::new(function.span(), format!("expected `{function}(..)`")));
        }
        let mut arguments = vec![value];
        arguments.extend(list(input)?);
        value = Term::Call { function, arguments };
    }
    Ok(value)
}

fn primary(input: ParseStream<'_>) -> syn::Result<Term> {
    // A fragment of a `macro_rules!` macro comes in a group without delimiters.
    if let Some((inner, _, _)) = input.cursor().group(Delimiter::None) {
        input.parse::<TokenTree>()?;
        return term.parse2(inner.token_stream());
    }
    if input.peek(Lit) {
        let lit = input.parse()?;
        return Ok(Term::Constant(Expr::Lit(ExprLit { attrs: Vec::new(), lit })));
    }
    if input.peek(token::Paren) {
        let group: Group = input.parse()?;
        if group.stream().is_empty() {
            return Err(syn::Error::new(group.span(), "expected a value"));
        }
        return all_of(&group, term);
    }
    if input.peek(token::Brace) {
        return Ok(Term::Constant(whole(input.parse::<TokenTree>()?.into())?));
    }
    if input.peek(Token![if]) {
        return choice(input);
    }
    if input.peek(Token![::]) || input.peek(Token![crate]) || input.peek(Token![self]) || input.peek2(Token![::]) {
        return Ok(Term::Constant(Expr::Path(input.parse::<ExprPath>()?)));
    }
    if input.peek(Ident) {
        let name: Ident = input.parse()?;
        if input.peek(token::Paren) {
            let arguments = list(input)?;
            return Ok(Term::Call { function: name, arguments });
        }
        return Ok(Term::Name(name));
    }
    Err(input.error("expected a value: a map, a number, a constant, `sigmoid(x)`, `if x < 0 { .. } else { .. }`"))
}

/// `(a, b)`
fn list(input: ParseStream<'_>) -> syn::Result<Vec<Term>> {
    let group: Group = input.parse()?;
    let arguments = |input: ParseStream<'_>| {
        let mut arguments = Vec::new();
        while !input.is_empty() {
            arguments.push(term(input)?);
            if input.peek(Token![,]) {
                input.parse::<Token![,]>()?;
            } else if !input.is_empty() {
                return Err(input.error("expected an operator, `,` or `)`"));
            }
        }
        Ok(arguments)
    };
    arguments.parse2(group.stream())
}

fn all_of<T>(group: &Group, parse: impl Fn(ParseStream<'_>) -> syn::Result<T>) -> syn::Result<T> {
    let parser = |input: ParseStream<'_>| {
        let value = parse(input)?;
        if input.is_empty() { Ok(value) } else { Err(input.error("expected an operator, or `)`")) }
    };
    parser.parse2(group.stream())
}

/// `if x < 0 { .. } else { .. }`
fn choice(input: ParseStream<'_>) -> syn::Result<Term> {
    let word: Token![if] = input.parse()?;
    let condition = either(input)?;
    if !input.peek(token::Brace) {
        return Err(input.error("expected `{` behind the condition"));
    }
    let yes = block(input)?;
    if !input.peek(Token![else]) {
        return Err(syn::Error::new_spanned(word, "an `if` has an `else` here: `if x < 0 { .. } else { .. }`"));
    }
    input.parse::<Token![else]>()?;
    let no = if input.peek(Token![if]) {
        choice(input)?
    } else if input.peek(token::Brace) {
        block(input)?
    } else {
        return Err(input.error("expected `{` behind `else`"));
    };
    Ok(Term::If { condition: Box::new(condition), yes: Box::new(yes), no: Box::new(no) })
}

fn either(input: ParseStream<'_>) -> syn::Result<Condition> {
    let mut condition = both(input)?;
    while input.peek(Token![||]) {
        input.parse::<Token![||]>()?;
        condition = Condition::Or(Box::new(condition), Box::new(both(input)?));
    }
    Ok(condition)
}

fn both(input: ParseStream<'_>) -> syn::Result<Condition> {
    let mut condition = comparison(input)?;
    while input.peek(Token![&&]) {
        input.parse::<Token![&&]>()?;
        condition = Condition::And(Box::new(condition), Box::new(comparison(input)?));
    }
    Ok(condition)
}

fn comparison(input: ParseStream<'_>) -> syn::Result<Condition> {
    if input.peek(Token![!]) {
        input.parse::<Token![!]>()?;
        return Ok(Condition::Not(Box::new(comparison(input)?)));
    }
    // Brackets around a condition, or around the value that is compared.
    if input.peek(token::Paren) {
        let ahead = input.fork();
        let group: Group = ahead.parse()?;
        let ends = ahead.peek(token::Brace) || ahead.peek(Token![&&]) || ahead.peek(Token![||]) || ahead.is_empty();
        if ends {
            input.parse::<Group>()?;
            return all_of(&group, either);
        }
    }
    let one = term(input)?;
    let compared = match input.cursor().punct() {
        _ if input.peek(Token![<=]) => (Compared::LessOrEqual, 2),
        _ if input.peek(Token![>=]) => (Compared::GreaterOrEqual, 2),
        _ if input.peek(Token![==]) => (Compared::Equal, 2),
        _ if input.peek(Token![!=]) => (Compared::Unequal, 2),
        // Also `x<-1`, where the sign is joined to it.
        Some((punct, _)) if punct.as_char() == '<' => (Compared::Less, 1),
        Some((punct, _)) if punct.as_char() == '>' => (Compared::Greater, 1),
        _ => return Err(input.error("expected a comparison: `x < 0`, `x >= y`, `x == 1`")),
    };
    let (compared, signs) = compared;
    for _ in 0..signs {
        input.parse::<TokenTree>()?;
    }
    Ok(Condition::Compare(compared, Box::new(one), Box::new(term(input)?)))
}

impl Closure {
    /// As it is written, on one line.
    pub(crate) fn text(&self) -> String {
        let arguments: Vec<_> = self.arguments.iter().map(ToString::to_string).collect();
        format!("|{}| {}", arguments.join(", "), self.body.text(0))
    }
}

impl Term {
    /// In brackets where what is around binds closer than this.
    fn text(&self, around: u8) -> String {
        let (text, level) = match self {
            Self::Constant(constant) => (constant.to_token_stream().to_string(), 4),
            Self::Name(name) => (name.to_string(), 4),
            Self::Negative(of) => (format!("-{}", of.text(3)), 3),
            Self::Binary(operator, one, other) => {
                let (sign, level) = match operator {
                    Operator::Add => ("+", 1),
                    Operator::Subtract => ("-", 1),
                    Operator::Multiply => ("*", 2),
                    Operator::Divide => ("/", 2),
                };
                (format!("{} {sign} {}", one.text(level), other.text(level + 1)), level)
            }
            Self::Call { function, arguments } => {
                let arguments: Vec<_> = arguments.iter().map(|argument| argument.text(0)).collect();
                (format!("{function}({})", arguments.join(", ")), 4)
            }
            Self::If { condition, yes, no } => {
                (format!("if {} {{ {} }} else {{ {} }}", condition.text(), yes.text(0), no.text(0)), 0)
            }
            Self::Let { name, value, rest } => (format!("let {name} = {}; {}", value.text(0), rest.text(0)), 0),
        };
        match self {
            Self::Let { .. } if around > 0 => format!("{{ {text} }}"),
            _ if level < around => format!("({text})"),
            _ => text,
        }
    }
}

impl Condition {
    fn text(&self) -> String {
        match self {
            Self::Compare(compared, one, other) => {
                let sign = match compared {
                    Compared::Less => "<",
                    Compared::LessOrEqual => "<=",
                    Compared::Greater => ">",
                    Compared::GreaterOrEqual => ">=",
                    Compared::Equal => "==",
                    Compared::Unequal => "!=",
                };
                format!("{} {sign} {}", one.text(0), other.text(0))
            }
            Self::Not(of) => format!("!({})", of.text()),
            Self::And(one, other) => format!("({}) && ({})", one.text(), other.text()),
            Self::Or(one, other) => format!("({}) || ({})", one.text(), other.text()),
        }
    }
}
