//! Networks and blocks.

use proc_macro2::{Delimiter, Ident, TokenTree};
use syn::parse::ParseStream;
use syn::{Attribute, Expr, Token, token};

use super::ast::{Block, Declaration, Family, FamilySize, Input, Network};
use super::steps::body;
use super::tokens::{at_next, brackets, dims, split, whole};
use crate::error::Errors;

pub(super) fn item(input: ParseStream<'_>, declaration: &mut Declaration) -> syn::Result<()> {
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
    let inputs = inputs(input)?;
    let mut errors = Errors::new();
    let family = if input.peek(Token![for]) { Some(family(input, &inputs, &mut errors)) } else { None };
    let parsed = family.transpose().and_then(|family| {
        let steps = "the steps of the network: `{ conv2d<6, 5>, relu, .. }`";
        Ok((family, body(&brackets(input, Delimiter::Brace, steps)?, &mut errors)))
    });
    let errors = errors.finish();
    let (family, body) = parsed?;
    declaration.networks.push(Network { attributes, visibility, name, inputs, family, body, errors });
    Ok(())
}

/// `<C, H, W>`, or `<image: <C, H, W>, features: <N>>`.
fn inputs(input: ParseStream<'_>) -> syn::Result<Vec<Input>> {
    let is_named = input.peek2(syn::Ident) && input.peek3(Token![:]) && !input.peek3(Token![::]);
    if !is_named {
        return Ok(vec![Input { name: None, dims: dims(input)? }]);
    }
    input.parse::<Token![<]>()?;
    let mut inputs = Vec::new();
    while !input.peek(Token![>]) {
        if !input.peek(syn::Ident) {
            return Err(input.error("expected the name of an input: `<image: <3, 32, 32>, features: <10>>`"));
        }
        let name: Ident = input.parse()?;
        let expected =
            format!("expected the map of the input behind `{name}`: `{name}: <3, 32, 32>`, or `{name}: <10>`");
        if !input.peek(Token![:]) {
            return Err(at_next(input, &name, &expected));
        }
        input.parse::<Token![:]>()?;
        if !input.peek(Token![<]) {
            return Err(at_next(input, &name, &expected));
        }
        inputs.push(Input { name: Some(name), dims: dims(input)? });
        if input.peek(Token![,]) {
            input.parse::<Token![,]>()?;
        } else if !input.peek(Token![>]) {
            return Err(input.error("expected `,` or `>` behind an input"));
        }
    }
    input.parse::<Token![>]>()?;
    Ok(inputs)
}

/// `for [(12, 12), (24, 24)]`
fn family(input: ParseStream<'_>, inputs: &[Input], errors: &mut Errors) -> syn::Result<Family> {
    let word: Token![for] = input.parse()?;
    let mut names: Vec<Ident> = Vec::new();
    for size in inputs.iter().flat_map(|input| &input.dims.sizes) {
        if let Some(name) = alone(size)
            && !names.contains(name)
        {
            names.push(name.clone());
        }
    }
    let group = brackets(input, Delimiter::Bracket, "the sizes: `for [(12, 12), (24, 24)]`")?;
    let mut sizes = Vec::new();
    for tokens in split(group.stream(), false, errors) {
        let parts = match tokens.clone().into_iter().collect::<Vec<_>>().as_slice() {
            [TokenTree::Group(group)] if group.delimiter() == Delimiter::Parenthesis => {
                split(group.stream(), false, errors)
            }
            _ => vec![tokens.clone()],
        };
        let number =
            |part| whole(part).map_err(|error| syn::Error::new(error.span(), "expected a number, or `,`: `(12, 12)`"));
        let numbers = parts.into_iter().map(number).collect::<syn::Result<_>>();
        if let Some(numbers) = errors.take(numbers) {
            sizes.push(FamilySize { numbers, tokens });
        }
    }
    Ok(Family { word: word.span, names, sizes })
}

/// A name that is all there is.
fn alone(size: &Expr) -> Option<&Ident> {
    match size {
        Expr::Group(group) => alone(&group.expr),
        Expr::Path(path) => path.path.get_ident(),
        _ => None,
    }
}

pub(super) fn block(input: ParseStream<'_>) -> syn::Result<Block> {
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
pub(super) fn block_parameters(block: &Ident, input: ParseStream<'_>, parameters: &mut Vec<Ident>) -> syn::Result<()> {
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
pub(super) fn skip_item(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() {
        if let TokenTree::Group(group) = input.parse()?
            && group.delimiter() == Delimiter::Brace
        {
            break;
        }
    }
    Ok(())
}
