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
use plan::{Plan, compose, fuse, merge};
use settle::blocks::{self, Blocks};
use settle::family;
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
    if let Some(family) = &network.family {
        return several(network, family, blocks);
    }
    let mut errors = Errors::of(&network.errors);
    let plan = settle::plan(network, None, blocks, &mut errors);
    let found = errors.finish();
    if !found.is_empty() || plan.told_by.is_some() {
        return fallback::network(network, None, &plan, &found);
    }
    let [plan, predictor] = passed(plan);
    write::network(network, &plan, &predictor)
}

/// A network at several sizes: each has a plan of its own.
fn several<'b>(network: &'b ast::Network, family: &ast::Family, blocks: &mut Blocks<'b>) -> TokenStream {
    let mut errors = Errors::new();
    let sizes = family::sizes(network, family, blocks, &mut errors);
    let mut mistakes = family::Mistakes::default();
    let before = blocks.clone();
    let mut plans = Vec::new();
    for size in &sizes {
        let (mut blocks_here, mut errors) = (before.clone(), Errors::of(&network.errors));
        plans.push(settle::plan(network, Some(size), &mut blocks_here, &mut errors));
        mistakes.at(size, errors.finish());
        blocks.told_too(blocks_here);
    }
    if sizes.is_empty() {
        errors.extend(&network.errors);
    }
    errors.extend(&mistakes.together());
    let is_told = plans.iter().any(|plan| plan.told_by.is_some());
    if errors.count() == 0 && !is_told {
        family::same_weights(network, &sizes.iter().zip(&plans).collect::<Vec<_>>(), &mut errors);
    }
    let found = errors.finish();
    if !found.is_empty() || is_told {
        let plan = plans.into_iter().reduce(|one, other| if one.told_by.is_some() { one } else { other });
        return fallback::network(network, Some(&sizes), &plan.unwrap_or_default(), &found);
    }
    let sizes: Vec<_> = sizes.into_iter().zip(plans.into_iter().map(passed)).collect();
    write::family(network, &sizes)
}

/// A settled plan, and its predictor's, behind the passes over them.
fn passed(mut plan: Plan) -> [Plan; 2] {
    compose::compose(&mut plan);
    let predictor = plan.predictor();
    fuse::fuse(&mut plan);
    merge::merge(&mut plan);
    [plan, predictor]
}
