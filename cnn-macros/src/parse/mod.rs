//! Tokens to a tree. Mistakes are noted, and what is behind one is read all the same: a list is cut at its commas before its
//! parts are parsed, so that a part which does not parse is one mistake.

pub(crate) mod ast;
mod expression;
mod items;
mod steps;
mod tokens;

use proc_macro2::{Ident, Span, TokenStream};
use syn::parse::{ParseStream, Parser};

use crate::error::Errors;
use ast::{Declaration, Network};
pub(crate) use expression::built_in;
use items::{item, skip_item};
use tokens::at_last;
pub(crate) use tokens::in_braces;

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
