//! Steps and their layers.

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, LitStr, Path, PathArguments, Token, token};

use super::ast::{Body, Call, Dims, Label, Layer, Setting, Step};
use super::expression;
use super::tokens::{at_last, at_next, brackets, dims, is_unsupported, sizes, skip_rest, split, whole};
use crate::error::Errors;

/// The words before branches.
const JOINS: [&str; 4] = ["add", "multiply", "concat", "matmul"];

pub(super) fn body(group: &Group, errors: &mut Errors) -> Body {
    let mut steps = Vec::new();
    for part in split(group.stream(), true, errors) {
        let mut rest = part;
        while !rest.is_empty() {
            let last = rest.clone().into_iter().last();
            // It is known what to call a step that does not parse.
            let mut label = None;
            let parser = |input: ParseStream<'_>| {
                label = step_label(input, errors);
                let step = step(label.as_ref(), input, errors);
                let rest = if step.is_ok() { input.parse()? } else { skip_rest(input)? };
                Ok((step, rest))
            };
            let (step, behind) = parser.parse2(rest).unwrap_or_else(|error| (Err(error), TokenStream::new()));
            steps.push(step.unwrap_or_else(|error| {
                errors.push(at_last(error, last.as_ref()));
                Step { label, layer: Layer::Broken, claim: None, wire: None }
            }));
            rest = behind;
            if let Some(token) = rest.clone().into_iter().next() {
                let step = steps.last_mut().expect("it was just pushed");
                errors.note(&token, unexpected(&token, &step.layer));
                // A name behind a missing comma is a step again; anything else is not worth a second complaint, nor is the
                // word before it, which may be no layer at all.
                if !matches!(&token, TokenTree::Ident(_)) {
                    if is_word(&step.layer) {
                        step.layer = Layer::Broken;
                    }
                    break;
                }
            }
        }
    }
    Body { steps, span: group.span_open() }
}

/// What to say of a token behind a step where its end was expected.
fn unexpected(token: &TokenTree, step: &Layer) -> &'static str {
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket && is_word(step) && !is_numbers(group) => {
            "steps stand in brackets, without a word before them: `[conv2d<8, 3>, relu]`"
        }
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket && is_word(step) => {
            "sizes go between angle brackets: `conv2d<8, 3>`"
        }
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && is_word(step) => {
            "branches go in `add { .. }`, `multiply { .. }` or `concat { .. }`, and options in parentheses"
        }
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
            "options go in parentheses: `conv2d<8, 3>(stride = 2)`"
        }
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis && matches!(step, Layer::Type(_)) => {
            "a type takes no options\nhelp: it stands alone; what varies is a parameter of the type"
        }
        TokenTree::Group(_) | TokenTree::Ident(_) => "expected `,` between two steps",
        TokenTree::Punct(punct) if is_word(step) && punct.as_char() == '.' => {
            "a layer stands alone, without a module: `relu`, `conv2d<8, 3>`"
        }
        TokenTree::Punct(punct) if matches!(punct.as_char(), '.' | ';' | '|') => {
            "steps stand one after the other, with `,` between them: `conv2d<8, 3>, relu`"
        }
        TokenTree::Punct(punct) if is_bare(step) && punct.as_char() == '=' => {
            "a label ends in `:`: `conv1: conv2d<8, 3>`"
        }
        TokenTree::Punct(punct) if punct.as_char() == '-' && punct.spacing() == Spacing::Joint => {
            "expected `,` behind the step, or `=>` before the map that it makes"
        }
        _ => "expected `,` behind the step",
    }
}

/// Whether a step is a word and nothing else.
fn is_bare(step: &Layer) -> bool {
    match step {
        Layer::Call(call) => call.sizes.is_empty() && call.options.is_empty() && call.alone.is_empty(),
        _ => false,
    }
}

/// The same, or a type.
fn is_word(step: &Layer) -> bool {
    is_bare(step) || matches!(step, Layer::Type(_))
}

/// Whether a number is the first in brackets.
fn is_numbers(group: &Group) -> bool {
    matches!(group.stream().into_iter().next(), Some(TokenTree::Literal(_)))
}

/// `label:`, `"label-0":` or `_:`, if there is one.
fn step_label(input: ParseStream<'_>, errors: &mut Errors) -> Option<Label> {
    let is_quoted = input.peek(LitStr);
    let is_label = is_quoted || input.peek(syn::Ident) || input.peek(Token![_]);
    if !(is_label && input.peek2(Token![:]) && !input.peek2(Token![::])) {
        return None;
    }
    let label = if is_quoted {
        quoted_label(&input.parse().ok()?, errors)
    } else {
        input.call(Ident::parse_any).ok().map(|name| Label { name, quoted: None })
    };
    input.parse::<Token![:]>().ok();
    label
}

/// A label between quotation marks; the program knows it with `_` for what may not be in a name.
fn quoted_label(text: &LitStr, errors: &mut Errors) -> Option<Label> {
    let quoted = text.value();
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    if !quoted.starts_with(is_of_name) || !quoted.chars().all(|letter| is_of_name(letter) || letter == '-') {
        errors.note(
            text,
            "a label between quotation marks is a name of weights: letters, digits, `_` and `-`, as in \"block1-0\"\n\
             help: a `.` is between the label of a sequence and one in it: `block1: [\"block1-0\": .. ]`",
        );
        return None;
    }
    let known = quoted.replace('-', "_");
    let known = if known.starts_with(|first: char| first.is_ascii_digit())
        || known == "_"
        || syn::parse_str::<Ident>(&known).is_err()
    {
        format!("_{known}")
    } else {
        known
    };
    Some(Label { name: Ident::new(&known, text.span()), quoted: Some(quoted) })
}

fn step(label: Option<&Label>, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Step> {
    if let Some(label) = label.filter(|_| input.is_empty()) {
        let text = format!("expected a layer behind `{}:`", label.name);
        return Err(syn::Error::new(label.name.span(), text));
    }
    let layer = layer(input, errors)?;
    let mut claim = if input.peek(Token![=>]) { Some(claim(input)?) } else { None };
    let wire = if input.peek(Token![as]) { Some(wire(input)?) } else { None };
    if wire.is_some() && input.peek(Token![=>]) {
        errors.push(input.error("the name of a map stands behind the map: `=> <16, 5, 5> as p3`"));
        claim = Some(self::claim(input)?);
    }
    Ok(Step { label: label.cloned(), layer, claim, wire })
}

/// `=> <C, H, W>`
fn claim(input: ParseStream<'_>) -> syn::Result<Dims> {
    let arrow: Token![=>] = input.parse()?;
    if !input.peek(Token![<]) {
        return Err(at_next(input, arrow, "expected the map behind `=>`: `=> <16, 5, 5>`, or `=> <400>`"));
    }
    dims(input)
}

/// `as wire`
fn wire(input: ParseStream<'_>) -> syn::Result<Ident> {
    let word: Token![as] = input.parse()?;
    if input.peek(syn::Ident) {
        return input.parse();
    }
    Err(at_next(input, word, "expected a name for the map behind `as`: `conv2d<8, 3> as p3`"))
}

fn layer(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Layer> {
    if input.peek(token::Bracket) {
        return Ok(Layer::Sequence(body(&input.parse()?, errors)));
    }
    let head = input.fork().parse::<Ident>().ok();
    match head {
        _ if input.peek2(Token![::])
            || input.peek(Token![::])
            || input.peek(Token![crate])
            || input.peek(Token![<]) =>
        {
            type_or_call(input, errors)
        }
        Some(name) if is_type(&name) => type_or_call(input, errors),
        // `nn.Conv2d(3, 16, 3)`, which is told as what it is here.
        Some(_) if input.peek2(Token![.]) && is_type_behind_dots(input) => {
            while input.peek2(Token![.]) {
                input.parse::<Ident>()?;
                input.parse::<Token![.]>()?;
            }
            match type_or_call(input, errors)? {
                Layer::Type(path) => Ok(Layer::Call(call_of_type(path, Vec::new()))),
                call => Ok(call),
            }
        }
        Some(name) if name == "repeat" => {
            input.parse::<Ident>()?;
            let sizes = if input.peek(Token![<]) { sizes(input)? } else { Vec::new() };
            let Ok([count]) = <[Expr; 1]>::try_from(sizes) else {
                return Err(syn::Error::new(name.span(), "expected how often: `repeat<3> [ .. ]`"));
            };
            let group = brackets(input, Delimiter::Bracket, "the steps to repeat: `repeat<3> [ .. ]`")?;
            Ok(Layer::Repeat { count, body: body(&group, errors) })
        }
        Some(name) if JOINS.iter().any(|join| name == join) => {
            input.parse::<Ident>()?;
            let group = brackets(input, Delimiter::Brace, &format!("branches: `{name} {{ [ .. ], [ .. ] }}`"))?;
            Ok(Layer::Join { kind: name, branches: body(&group, errors) })
        }
        Some(name) if name == "outputs" && input.peek2(token::Brace) => {
            input.parse::<Ident>()?;
            let group = brackets(input, Delimiter::Brace, "outputs: `outputs { boxes: [ .. ], scores: [ .. ] }`")?;
            Ok(Layer::Outputs { word: name, branches: body(&group, errors) })
        }
        Some(name) if name == "map" => {
            input.parse::<Ident>()?;
            if !input.peek(token::Paren) {
                let text = "expected a function behind `map`: `map(|x| x * sigmoid(x))`";
                return Err(syn::Error::new(name.span(), text));
            }
            Ok(Layer::Map { word: name, closure: expression::closure(&input.parse()?)? })
        }
        Some(name) if name == "share" => {
            input.parse::<Ident>()?;
            let sizes = if input.peek(Token![<]) { sizes(input)? } else { Vec::new() };
            match sizes.as_slice() {
                [Expr::Path(path)] if path.path.get_ident().is_some() => {
                    let label = path.path.require_ident()?.clone();
                    Ok(Layer::Share { word: name, label })
                }
                _ => Err(syn::Error::new(name.span(), "expected the label of an earlier step: `share<tower>`")),
            }
        }
        Some(name) => {
            input.parse::<Ident>()?;
            let has_sizes = input.peek(Token![<]);
            let sizes = if has_sizes { sizes(input)? } else { Vec::new() };
            let before = errors.count();
            let (mut options, mut alone) = (Vec::new(), Vec::new());
            if input.peek(token::Paren) {
                for part in split(input.parse::<Group>()?.stream(), false, errors) {
                    let mut tokens = part.clone().into_iter();
                    let named = matches!(tokens.next(), Some(TokenTree::Ident(_)));
                    if !has_sizes && (!named || tokens.next().is_none()) {
                        alone.push(part.clone());
                    }
                    if named || has_sizes {
                        let last = part.clone().into_iter().last();
                        options
                            .extend(errors.take(setting.parse2(part).map_err(|error| at_last(error, last.as_ref()))));
                    }
                }
            }
            Ok(Layer::Call(Call { name, path: None, sizes, options, alone, broken: errors.count() > before }))
        }
        None if input.peek2(Token![:]) && !input.peek2(Token![::]) => {
            let word = input.fork().parse::<TokenTree>()?.to_string();
            if let Some(name) = word.strip_prefix('"').and_then(|word| word.strip_suffix('"')) {
                return Err(input.error(format!("a label stands without quotes\nhelp: `{name}:`")));
            }
            let help = match word.as_str() {
                "self" | "Self" | "super" | "crate" => "choose another".to_owned(),
                _ => format!("`r#{word}:`, whose weights are called `{word}`"),
            };
            Err(input.error(format!("`{word}` is a word of Rust's, and no label\nhelp: {help}")))
        }
        None => Err(input.error("expected a layer: `conv2d<6, 5>`, `relu`, `[ .. ]`, ..")),
    }
}

/// A type; with options it is a layer's name in another spelling, `MaxPool2d(2)`: a type has none. What is between its brackets
/// may be any language's.
fn type_or_call(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Layer> {
    let layer = type_path(input)?;
    let Layer::Type(path) = &layer else { return Ok(layer) };
    let is_upper = |path: &Path| path.segments.last().is_some_and(|last| is_type(&last.ident));
    if !input.peek(token::Paren) || !is_upper(path) {
        return Ok(layer);
    }
    let alone = split(input.parse::<Group>()?.stream(), false, errors);
    Ok(Layer::Call(call_of_type(path.clone(), alone)))
}

fn call_of_type(path: Path, alone: Vec<TokenStream>) -> Call {
    let last = path.segments.last().expect("a path has a segment");
    let sizes = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => {
            arguments.args.iter().map(|size| Expr::Verbatim(size.to_token_stream())).collect()
        }
        _ => Vec::new(),
    };
    let name = last.ident.clone();
    Call { name, path: Some(path), sizes, options: Vec::new(), alone, broken: false }
}

/// Whether a name is a type's by its look.
fn is_type(name: &Ident) -> bool {
    name.to_string().starts_with(char::is_uppercase)
}

fn is_type_behind_dots(input: ParseStream<'_>) -> bool {
    let fork = input.fork();
    while fork.peek2(Token![.]) {
        if fork.parse::<Ident>().is_err() || fork.parse::<Token![.]>().is_err() {
            return false;
        }
    }
    fork.parse::<Ident>().is_ok_and(|name| is_type(&name))
}

fn type_path(input: ParseStream<'_>) -> syn::Result<Layer> {
    // From a `macro_rules!` macro, whole.
    if let Some((path, _, _)) = input.cursor().group(Delimiter::None) {
        input.parse::<TokenTree>()?;
        return syn::parse2(path.token_stream()).map(Layer::Type);
    }
    if input.peek(Token![<]) {
        return Err(input.error("expected a layer; give a type like `<T as Trait>::Layer` a name with `type`"));
    }
    input.parse().map(Layer::Type)
}

fn setting(input: ParseStream<'_>) -> syn::Result<Setting> {
    if !input.peek(syn::Ident) {
        return Err(input.error("an option goes by its name: `stride = 2`"));
    }
    let name: Ident = input.parse()?;
    if input.is_empty() {
        return Ok(Setting { name, value: None });
    }
    if !input.peek(Token![=]) {
        return Err(input.error(format!("expected `=` behind `{name}`, or `,`")));
    }
    let equals: Token![=] = input.parse()?;
    if input.is_empty() {
        return Err(syn::Error::new_spanned(equals, format!("expected a value behind `{name} =`")));
    }
    let value = match input.fork().parse::<Expr>() {
        Err(error) if is_unsupported(&error) => whole(input.parse()?)?,
        _ => input.parse()?,
    };
    let value = Some(value);
    if input.is_empty() { Ok(Setting { name, value }) } else { Err(input.error("expected `,` between two options")) }
}
