//! The `network!` macro of `cnn-core`. Use it from there: what it writes names `::cnn_core`.
//!
//! Stages, a folder each, and data flows one way: tokens are parsed into a tree, the tree is settled into a plan, passes
//! over the plan settle memory, and the plan becomes code. Mistakes are collected on the way.

mod error;
mod expression;
mod layers;
mod parse;
mod plan;
mod settle;
mod size;
mod span;
#[cfg(test)]
mod tests;
mod window;
mod write;

use proc_macro2::TokenStream;

use error::Errors;
use parse::ast;
use plan::{compose, fuse, merge};
use settle::blocks::{self, Blocks};
use write::fallback;

/// See `cnn_core::network!`, which is this.
#[proc_macro]
pub fn network(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand(input.into()).into()
}

fn expand(input: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let mut tree = parse::parse(input, &mut errors);
    blocks::check(&mut tree.blocks);
    let mut blocks = Blocks::new(&tree.blocks);
    let networks: TokenStream = tree.networks.iter().map(|network| one(network, &mut blocks)).collect();
    blocks.untold().into_iter().for_each(|error| errors.push(error));
    let rest = error::report(errors.finish());
    quote::quote!(#networks #rest)
}

fn one<'b>(network: &'b ast::Network, blocks: &mut Blocks<'b>) -> TokenStream {
    let mut errors = Errors::of(&network.errors);
    let mut plan = settle::plan(network, blocks, &mut errors);
    let found = errors.finish();
    if !found.is_empty() || plan.told_by.is_some() {
        return fallback::network(network, &plan, &found);
    }
    compose::compose(&mut plan);
    let predictor = plan.predictor();
    fuse::fuse(&mut plan);
    merge::merge(&mut plan);
    write::network(network, &plan, &predictor)
}
