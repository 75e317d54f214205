//! The grammar as types, each with its parser, spans kept. Knows no layer by name and no size by value.
//!
//! A list is cut at its commas before its parts are parsed, so that a part which does not parse is one mistake and the
//! parts behind it are read all the same.

use proc_macro2::{Delimiter, Group, Spacing, Span, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Expr, ExprLit, Ident, Lit, Path, Token, Visibility, token};

use crate::error::Errors;

/// Everything in one invocation.
pub(crate) struct Declaration {
    pub(crate) blocks: Vec<Block>,
    pub(crate) networks: Vec<Network>,
}

/// `block name<PARAM, ..> { .. }`: a template.
pub(crate) struct Block {
    pub(crate) name: Ident,
    pub(crate) parameters: Vec<Ident>,
    pub(crate) body: Body,
    /// What is wrong with it wherever it is used.
    pub(crate) errors: Vec<syn::Error>,
}

/// `pub Name<C, H, W> { .. }`.
pub(crate) struct Network {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) name: Ident,
    pub(crate) input: Dims,
    pub(crate) body: Body,
    /// What did not parse inside of it.
    pub(crate) errors: Vec<syn::Error>,
}

/// `<C, H, W>`, or `<N>` for a flat map.
pub(crate) struct Dims {
    pub(crate) sizes: Vec<Expr>,
    /// The whole, to be underlined.
    pub(crate) tokens: TokenStream,
}

/// The steps between braces or brackets.
pub(crate) struct Body {
    pub(crate) steps: Vec<Step>,
}

/// `label: layer => <C, H, W>`.
pub(crate) struct Step {
    pub(crate) label: Option<Ident>,
    pub(crate) layer: Layer,
    pub(crate) claim: Option<Dims>,
}

pub(crate) enum Layer {
    /// `conv2d<6, 5>(padding = 2)`: a layer or a block.
    Call(Call),
    /// `[ .. ]`
    Sequence(Body),
    /// `repeat<N> [ .. ]`
    Repeat { count: Expr, body: Body },
    /// `add { .. }`, `multiply { .. }` or `concat { .. }`: each step is a branch.
    Join { kind: Ident, branches: Body },
    /// `path::To::AType<..>`: another network, or a layer of the user's own.
    Type(Path),
    /// Did not parse, and was reported.
    Broken,
}

pub(crate) struct Call {
    pub(crate) name: Ident,
    /// `<6, 5>`; a pair `(3, 5)` is a tuple.
    pub(crate) sizes: Vec<Expr>,
    /// `(padding = 2)`
    pub(crate) options: Vec<Setting>,
    /// What stands alone between round brackets where there are no angle brackets: flags, or sizes that belong there.
    pub(crate) alone: Vec<TokenStream>,
    /// Whether something between its brackets did not parse, and was reported.
    pub(crate) broken: bool,
}

/// `padding = 2`, or a bare `strict`.
pub(crate) struct Setting {
    pub(crate) name: Ident,
    pub(crate) value: Option<Expr>,
}

/// What to build, and what is wrong outside of a network. Mistakes inside one are the network's.
pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Declaration {
    let mut declaration = Declaration { blocks: Vec::new(), networks: Vec::new() };
    let before = errors.count();
    let last = tokens.clone().into_iter().last();
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            if let Err(error) = item(input, &mut declaration) {
                errors.push(at_last(error, last.as_ref()));
                skip_item(input)?;
            }
        }
        Ok(())
    };
    if let Err(error) = parser.parse2(tokens) {
        errors.push(error);
    }
    distinct_names(&mut declaration.networks, errors);
    if declaration.networks.is_empty() && errors.count() == before {
        let text = "expected a network\nhelp: `network! { pub Name<1, 28, 28> { conv2d<6, 5>, relu, .. } }`";
        errors.push(syn::Error::new(Span::call_site(), text));
    }
    declaration
}

/// Drops networks that have the name of an earlier one. Of those under a `cfg` at most one is compiled, for all we know.
fn distinct_names(networks: &mut Vec<Network>, errors: &mut Errors) {
    let mut names: Vec<Ident> = Vec::new();
    networks.retain(|network| {
        if network.attributes.iter().any(|attribute| attribute.path().is_ident("cfg")) {
            return true;
        }
        let name = &network.name;
        let is_new = !names.contains(name);
        if is_new {
            names.push(name.clone());
        } else {
            let text = format!("the network `{name}` is declared twice\nhelp: choose another name for one");
            errors.push(syn::Error::new(name.span(), text));
            network.errors.iter().for_each(|error| errors.push(error.clone()));
        }
        is_new
    });
}

fn item(input: ParseStream<'_>, declaration: &mut Declaration) -> syn::Result<()> {
    let attributes = input.call(Attribute::parse_outer)?;
    let visibility = input.parse()?;
    if !input.peek(syn::Ident) {
        return Err(input.error("expected the name of a network: `Name<1, 28, 28> { .. }`"));
    }
    let name: Ident = input.parse()?;
    if name == "block" && input.peek(syn::Ident) {
        declaration.blocks.push(block(input)?);
        return Ok(());
    }
    if !input.peek(Token![<]) {
        let help =
            format!("expected the sizes of the input map: `{name}<channels, height, width>`, or `{name}<features>`");
        return Err(at_next(input, &name, &help));
    }
    let input_map = dims(input)?;
    let group = brackets(input, Delimiter::Brace, "the steps of the network: `{ conv2d<6, 5>, relu, .. }`")?;
    let mut errors = Errors::new();
    let body = body(&group, &mut errors);
    let errors = errors.finish();
    declaration.networks.push(Network { attributes, visibility, name, input: input_map, body, errors });
    Ok(())
}

fn block(input: ParseStream<'_>) -> syn::Result<Block> {
    let name: Ident = input.parse()?;
    let mut parameters = Vec::new();
    let wrong = block_parameters(&name, input, &mut parameters).err();
    while wrong.is_some() && !input.is_empty() && !input.peek(token::Brace) {
        input.parse::<TokenTree>()?;
    }
    let group = brackets(input, Delimiter::Brace, "the steps of the block: `{ .. }`");
    let group = group.map_err(|error| wrong.clone().unwrap_or(error))?;
    let mut errors = Errors::of(wrong.as_slice());
    let body = body(&group, &mut errors);
    Ok(Block { name, parameters, body, errors: errors.finish() })
}

/// `<PARAM, ..>`, or nothing.
fn block_parameters(block: &Ident, input: ParseStream<'_>, parameters: &mut Vec<Ident>) -> syn::Result<()> {
    if !input.peek(Token![<]) {
        return Ok(());
    }
    input.parse::<Token![<]>()?;
    while !input.peek(Token![>]) {
        if !input.peek(syn::Ident) {
            return Err(input.error(format!("expected the name of a parameter: `block {block}<C> {{ .. }}`")));
        }
        parameters.push(input.parse()?);
        if input.peek(Token![,]) {
            input.parse::<Token![,]>()?;
        } else if !input.peek(Token![>]) {
            return Err(input.error("expected `,` or `>` behind a parameter: it has a name only"));
        }
    }
    input.parse::<Token![>]>().map(|_| ())
}

/// Moves behind the next `{ .. }`, where another network may begin.
fn skip_item(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() {
        if let TokenTree::Group(group) = input.parse()?
            && group.delimiter() == Delimiter::Brace
        {
            break;
        }
    }
    Ok(())
}

fn dims(input: ParseStream<'_>) -> syn::Result<Dims> {
    let before = input.cursor();
    let sizes = sizes(input)?;
    let mut tokens = Vec::new();
    let mut rest = before;
    while rest != input.cursor() {
        let (token, next) = rest.token_tree().expect("there are tokens up to the cursor");
        tokens.push(token);
        rest = next;
    }
    Ok(Dims { sizes, tokens: tokens.into_iter().collect() })
}

/// `<size, ..>`
fn sizes(input: ParseStream<'_>) -> syn::Result<Vec<Expr>> {
    input.parse::<Token![<]>()?;
    let mut sizes = Vec::new();
    while !input.peek(Token![>]) {
        sizes.push(size(input)?);
        if input.peek(Token![,]) {
            input.parse::<Token![,]>()?;
        } else if input.peek(Token![=]) {
            return Err(input.error("sizes go by their places, without names: `conv2d<8, 3>`"));
        } else if !input.peek(Token![>]) {
            return Err(input.error("expected `,` or `>`; put arithmetic in braces: `{6 * 4}`"));
        }
    }
    input.parse::<Token![>]>()?;
    Ok(sizes)
}

/// A size between angle brackets, where an operator would be taken for the end of the list.
fn size(input: ParseStream<'_>) -> syn::Result<Expr> {
    // A fragment of a `macro_rules!` macro comes in a group without delimiters, and a bracket ends where it ends: both
    // hold a whole expression.
    if input.cursor().group(Delimiter::None).is_some() || input.peek(token::Brace) || input.peek(token::Paren) {
        return whole(input.parse::<TokenTree>()?.into());
    }
    if input.peek(Lit) {
        return input.parse().map(|lit| Expr::Lit(ExprLit { attrs: Vec::new(), lit }));
    }
    if input.peek(syn::Ident) || input.peek(Token![::]) || input.peek(Token![crate]) || input.peek(Token![self]) {
        return input.parse().map(Expr::Path);
    }
    if input.peek(Token![-]) {
        return Err(input.error("a size cannot be negative"));
    }
    Err(input.error("expected a size: a number, a name, `(height, width)`, or arithmetic in braces"))
}

/// All tokens as one expression. What syn knows only with its feature `full` (statements, `if`, arrays), which takes as long
/// to compile as the rest of it, is left as it stands, for rustc.
fn whole(tokens: TokenStream) -> syn::Result<Expr> {
    let inner = in_braces(tokens.clone()).unwrap_or_else(|| tokens.clone());
    if inner.is_empty() {
        return Err(syn::Error::new_spanned(&tokens, "expected a constant expression"));
    }
    if let Some(TokenTree::Ident(first)) = tokens.clone().into_iter().next()
        && syn::parse2::<Expr>(tokens.clone()).is_err_and(|error| is_unsupported(&error))
    {
        return Err(syn::Error::new(first.span(), "expected an expression; put this one in braces: `{ .. }`"));
    }
    let is_semicolon = |token: TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ';');
    match syn::parse2::<Expr>(inner.clone()) {
        Err(error) if !is_unsupported(&error) && !inner.into_iter().any(is_semicolon) => Err(error),
        _ => syn::parse2(tokens.clone()).or(Ok(Expr::Verbatim(tokens))),
    }
}

/// What stands in braces, if that is all.
pub(crate) fn in_braces(tokens: TokenStream) -> Option<TokenStream> {
    let mut tokens = tokens.into_iter();
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::Brace => Some(group.stream()),
        _ => None,
    }
}

fn is_unsupported(error: &syn::Error) -> bool {
    error.to_string().starts_with("unsupported expression")
}

fn body(group: &Group, errors: &mut Errors) -> Body {
    let mut steps = Vec::new();
    for part in split(group.stream(), true, errors) {
        let mut rest = part;
        while !rest.is_empty() {
            let last = rest.clone().into_iter().last();
            // It is known what to call a step that does not parse.
            let mut label = None;
            let parser = |input: ParseStream<'_>| {
                label = step_label(input);
                let step = step(label.as_ref(), input, errors);
                let rest = if step.is_ok() { input.parse()? } else { skip_rest(input)? };
                Ok((step, rest))
            };
            let (step, behind) = parser.parse2(rest).unwrap_or_else(|error| (Err(error), TokenStream::new()));
            steps.push(step.unwrap_or_else(|error| {
                errors.push(at_last(error, last.as_ref()));
                Step { label, layer: Layer::Broken, claim: None }
            }));
            rest = behind;
            if let Some(token) = rest.clone().into_iter().next() {
                let step = steps.last_mut().expect("it was just pushed");
                errors.note(&token, unexpected(&token, &step.layer));
                // A name behind a missing comma is a step again; anything else is not worth a second complaint, nor is the
                // word before it, which may be no layer at all.
                if !matches!(&token, TokenTree::Ident(_)) {
                    if is_bare(&step.layer) {
                        step.layer = Layer::Broken;
                    }
                    break;
                }
            }
        }
    }
    Body { steps }
}

/// What to say of a token behind a step where its end was expected.
fn unexpected(token: &TokenTree, step: &Layer) -> &'static str {
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket && is_bare(step) => {
            "sizes go between angle brackets: `conv2d<8, 3>`"
        }
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && is_bare(step) => {
            "branches go in `add { .. }`, `multiply { .. }` or `concat { .. }`, and options in parentheses"
        }
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
            "options go in parentheses: `conv2d<8, 3>(stride = 2)`"
        }
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis && matches!(step, Layer::Type(_)) => {
            "a type takes no options\nhelp: it stands alone; what varies is a parameter of the type"
        }
        TokenTree::Group(_) | TokenTree::Ident(_) => "expected `,` between two steps",
        TokenTree::Punct(punct) if is_bare(step) && punct.as_char() == '.' => {
            "a layer stands alone, without a module: `relu`, `conv2d<8, 3>`"
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

/// `label:`, if there is one.
fn step_label(input: ParseStream<'_>) -> Option<Ident> {
    if !(input.peek(syn::Ident) && input.peek2(Token![:]) && !input.peek2(Token![::])) {
        return None;
    }
    let label = input.parse().ok();
    input.parse::<Token![:]>().ok();
    label
}

fn step(label: Option<&Ident>, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Step> {
    if let Some(label) = label.filter(|_| input.is_empty()) {
        return Err(syn::Error::new(label.span(), format!("expected a layer behind `{label}:`")));
    }
    let layer = layer(input, errors)?;
    let claim = if input.peek(Token![=>]) {
        let arrow: Token![=>] = input.parse()?;
        if !input.peek(Token![<]) {
            return Err(at_next(input, arrow, "expected the map behind `=>`: `=> <16, 5, 5>`, or `=> <400>`"));
        }
        Some(dims(input)?)
    } else {
        None
    };
    Ok(Step { label: label.cloned(), layer, claim })
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
            type_path(input)
        }
        // With options it is a layer's name in another spelling, `MaxPool2d(2)`: a type has none.
        Some(name) if name.to_string().starts_with(char::is_uppercase) && !input.peek2(token::Paren) => {
            type_path(input)
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
        Some(name) if name == "add" || name == "multiply" || name == "concat" => {
            input.parse::<Ident>()?;
            let group = brackets(input, Delimiter::Brace, &format!("branches: `{name} {{ [ .. ], [ .. ] }}`"))?;
            Ok(Layer::Join { kind: name, branches: body(&group, errors) })
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
            Ok(Layer::Call(Call { name, sizes, options, alone, broken: errors.count() > before }))
        }
        None if input.peek2(Token![:]) && !input.peek2(Token![::]) => {
            let word = input.fork().parse::<TokenTree>()?.to_string();
            let help = match word.as_str() {
                "_" => "a step without a label has none".to_owned(),
                "self" | "Self" | "super" | "crate" => "choose another".to_owned(),
                _ => format!("`r#{word}:`, whose weights are called `{word}`"),
            };
            Err(input.error(format!("`{word}` is a word of Rust's, and no label\nhelp: {help}")))
        }
        None => Err(input.error("expected a layer: `conv2d<6, 5>`, `relu`, `[ .. ]`, ..")),
    }
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

/// Cuts a list at its commas. Where sizes stand between `<` and `>`, commas between those do not count.
fn split(tokens: TokenStream, angles: bool, errors: &mut Errors) -> Vec<TokenStream> {
    let mut parts = Vec::new();
    let mut part = Vec::new();
    let mut depth = 0_usize;
    let mut arrow = false;
    for token in tokens {
        if let TokenTree::Punct(punct) = &token {
            match punct.as_char() {
                ',' if depth == 0 => {
                    if part.is_empty() {
                        errors.note(&token, "expected something before this `,`");
                    }
                    parts.push(part.drain(..).collect());
                    continue;
                }
                '<' if angles => depth += 1,
                '>' if angles && !arrow => depth = depth.saturating_sub(1),
                _ => {}
            }
            // The `>` of `=>` closes nothing, also where `<8, 3>=><8, 26, 26>` is written without spaces.
            arrow = punct.as_char() == '=' && punct.spacing() == Spacing::Joint;
        } else {
            arrow = false;
        }
        part.push(token);
    }
    parts.push(part.into_iter().collect());
    parts.retain(|part: &TokenStream| !part.is_empty());
    parts
}

/// `{ .. }` or `[ .. ]`, or what was expected instead.
fn brackets(input: ParseStream<'_>, delimiter: Delimiter, what: &str) -> syn::Result<Group> {
    let found = match delimiter {
        Delimiter::Brace => input.peek(token::Brace),
        _ => input.peek(token::Bracket),
    };
    if found { input.parse() } else { Err(input.error(format!("expected {what}"))) }
}

fn skip_rest(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    input.parse::<TokenStream>()?;
    Ok(TokenStream::new())
}

/// A mistake at the next token, or at `behind` if there is none: the end of a list has no place of its own.
fn at_next(input: ParseStream<'_>, behind: impl quote::ToTokens, text: &str) -> syn::Error {
    if input.is_empty() { syn::Error::new_spanned(behind, text) } else { input.error(text) }
}

/// Puts a mistake at the end of a list on the list's last token.
fn at_last(error: syn::Error, last: Option<&TokenTree>) -> syn::Error {
    let text = error.to_string();
    match (text.strip_prefix("unexpected end of input, "), last) {
        (Some(text), Some(last)) => syn::Error::new(last.span(), text),
        _ => error,
    }
}
