//! Steps that are joins: each branch gets the same map, and what they make becomes one.

use quote::quote;
use syn::Ident;

use super::join_rules;
use super::limits::too_large;
use super::{Names, Walk};
use crate::layers::Cost;
use crate::parse::ast::Body;
use crate::plan::{Branch, Constant, ConstantType, INPUT, Join, JoinKind, Kind, Map, MapId};
use crate::size::Shape;

impl<'b> Walk<'_, 'b> {
    pub(super) fn join(&mut self, kind: &Ident, branches: &'b Body, name: &str, own: &Names, names: &Names) {
        let join = JoinKind::of(&kind.to_string());
        self.plan.heads.clear();
        if branches.steps.is_empty() {
            let text = format!(
                "{name}: `{kind}` has no branches\nhelp: `{kind} {{ [ .. ], [ .. ] }}`; `[]` is the map as it is"
            );
            self.wrong(kind, text);
            return;
        }
        if join == JoinKind::Matmul && branches.steps.len() != 2 {
            let text = format!(
                "{name}: `matmul` has {} branches\nhelp: two, `matmul {{ a, b }}`, which are wires or steps",
                branches.steps.len()
            );
            self.wrong(kind, text);
            return;
        }
        self.distinct_labels(branches);
        let (input, mark) = (self.current, self.enter_body());
        let (mut made, mut sound) = (Vec::new(), input.is_some());
        for (index, branch) in branches.steps.iter().enumerate() {
            self.current = input;
            self.branch(branch, own, names, index);
            sound &= self.current.is_some();
            made.push(Branch { map: self.current.unwrap_or(INPUT), label: branch.own_label().cloned() });
        }
        self.leave_body(mark);
        self.current = None;
        self.plan.heads = if join == JoinKind::Concat { made.clone() } else { Vec::new() };
        let Some(input) = input.filter(|_| sound) else { return };
        // A product has two factors; more are products of products.
        let parts = if join == JoinKind::Multiply { made.len() } else { 2 };
        let whole = self.joined(join, kind, name, input, &made);
        if made.len() == 1 || whole.is_none() {
            self.current = whole.map(|_| made[0].map);
            return;
        }
        let mut first = made[0].map;
        for count in 2..=parts {
            let last = count == parts;
            let branches: Vec<_> = if join == JoinKind::Multiply {
                let label = None;
                vec![Branch { map: first, label }, Branch { map: made[count - 1].map, label: None }]
            } else {
                std::mem::take(&mut made)
            };
            let shape = if last { whole.clone() } else { self.joined(join, kind, name, input, &branches) };
            let Some(shape) = shape else { return };
            let kind_of = Kind::Join(Join { kind: join });
            let inputs: Vec<_> = branches.iter().map(|branch| branch.map).collect();
            let cost = Cost { parameters: 0, multiply_adds: self.products(join, &inputs, &shape) };
            self.add_step(kind_of, kind.span(), Some(cost), own, inputs, Map::new(shape));
            first = self.current.unwrap_or(first);
        }
    }

    /// Multiply-adds of a product of matrices, as far as the macro knows its sizes.
    fn products(&self, join: JoinKind, inputs: &[MapId], made: &Shape) -> u128 {
        let depth = self.plan.map(inputs[0]).shape.sizes()[2].known().filter(|_| join == JoinKind::Matmul);
        depth.zip(made.known_len()).map_or(0, |(depth, len)| u128::from(depth) * u128::from(len))
    }

    /// The map that branches make together.
    pub(super) fn joined(
        &mut self,
        join: JoinKind,
        kind: &Ident,
        name: &str,
        input: MapId,
        branches: &[Branch],
    ) -> Option<Shape> {
        let sound = self.plan.constants.iter().rev().find(|constant| constant.of == ConstantType::Made);
        let sound = sound.map_or_else(|| quote!(true), |Constant { name, .. }| quote!(#name.sound));
        let site = join_rules::Site { plan: &self.plan, kind: join, name, input, branches };
        let outcome = site.outcome(&sound);
        let shape = match outcome {
            Ok(outcome) => self.made(outcome, kind),
            Err(text) => {
                self.wrong(kind, text);
                return None;
            }
        };
        if let Some(text) = too_large(&shape) {
            self.wrong(kind, format!("{name}: the map that it makes {text}\nhelp: a smaller map"));
            return None;
        }
        Some(shape)
    }
}
