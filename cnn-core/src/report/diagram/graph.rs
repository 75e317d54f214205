//! The boxes of a diagram and who reads whom; which of them stand in which frame.

use std::collections::BTreeMap;

use super::text::window;
use crate::layer::{Operation, Step};
use crate::network::Network;
use crate::network::grouped;
use crate::shape::{Shape, Sizes};

/// What a diagram shows of a network.
#[derive(Clone, Debug)]
pub(super) struct Graph {
    pub(super) name: &'static str,
    /// In an order in which each reads only those before it; the first is the network's input.
    pub(super) boxes: Vec<Node>,
    steps: usize,
    parameters: usize,
}

/// A box: a step, and those behind it that do little.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// PyTorch's name of its first step.
    pub(super) path: String,
    /// The layers in it, of the first with its window.
    pub(super) layers: Vec<String>,
    /// PyTorch's names of all steps, with the layers.
    pub(super) steps: Vec<String>,
    /// The first layer's name alone.
    layer: &'static str,
    /// The boxes that it reads.
    pub(super) inputs: Vec<usize>,
    pub(super) output: Sizes,
    pub(super) parameters: usize,
    pub(super) shared: bool,
}

/// Boxes and frames in order.
#[derive(Clone, Debug)]
pub(super) enum Item {
    Box(usize),
    /// A frame that is closed: its name and its boxes.
    Closed(String, Vec<usize>),
    Frame(String, Vec<Item>),
}

impl Item {
    /// All boxes in it.
    pub(super) fn boxes(&self) -> Vec<usize> {
        match self {
            Self::Box(index) => vec![*index],
            Self::Closed(_, boxes) => boxes.clone(),
            Self::Frame(_, items) => items.iter().flat_map(Self::boxes).collect(),
        }
    }
}

impl Graph {
    pub(super) fn of<N: Network>() -> Self {
        let input = Node {
            path: "input".to_owned(),
            layers: Vec::new(),
            steps: vec![format!("input of {}", N::NAME)],
            layer: "",
            inputs: Vec::new(),
            output: N::Input::SIZES,
            parameters: 0,
            shared: false,
        };
        let mut boxes = vec![input];
        let steps = leaves(N::STEPS, "", 0, &mut 0);
        let mut readers = vec![0; steps.len() + 1];
        for (_, _, inputs) in &steps {
            inputs.iter().for_each(|input| readers[*input] += 1);
        }
        // The box of each step, counted from 1; of the input, 0.
        let mut box_of = vec![0];
        for (path, step, inputs) in &steps {
            let parameters = if step.shares.is_some() { 0 } else { step.operation.parameter_count() };
            let said = format!("{path} ({})", step.layer);
            if let [input] = inputs[..]
                && input > 0
                && readers[input] == 1
                && does_little(&step.operation)
            {
                let at = box_of[input];
                let before = &mut boxes[at];
                before.layers.push(step.layer.to_owned());
                before.steps.push(said);
                before.output = step.output;
                before.parameters += parameters;
                box_of.push(at);
                continue;
            }
            let mut reads: Vec<usize> = inputs.iter().map(|input| box_of[*input]).collect();
            reads.sort_unstable();
            reads.dedup();
            let window = window(&step.operation);
            let gap = if window.is_empty() { "" } else { " " };
            boxes.push(Node {
                path: path.clone(),
                layers: vec![format!("{}{gap}{window}", step.layer)],
                steps: vec![said],
                layer: step.layer,
                inputs: reads,
                output: step.output,
                parameters,
                shared: step.shares.is_some(),
            });
            box_of.push(boxes.len() - 1);
        }
        Self { name: N::NAME, boxes, steps: steps.len(), parameters: N::PARAMETERS }
    }

    pub(super) fn says(&self) -> String {
        format!("{}: {} steps, {} parameters", self.name, self.steps, grouped(self.parameters))
    }

    /// Boxes and frames, closed at a depth.
    pub(super) fn tree(&self, depth: usize) -> Vec<Item> {
        let paths: Vec<Vec<&str>> = self.boxes.iter().map(|node| node.path.split('.').collect()).collect();
        tree(&paths, 0..self.boxes.len(), 0, depth)
    }

    /// What a closed frame has most of, with weights.
    pub(super) fn contents(&self, boxes: &[usize]) -> String {
        let mut counts = BTreeMap::new();
        for node in boxes.iter().map(|index| &self.boxes[*index]) {
            *counts.entry(node.layer).or_insert(0_usize) += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| core::cmp::Reverse(*count));
        let shown = counts.iter().take(2).map(|(layer, count)| format!("{count} {layer}"));
        shown.collect::<Vec<_>>().join(", ") + if counts.len() > 2 { ", .." } else { "" }
    }
}

/// Whether a step changes a map value by value or in its scale only, which is worth a line.
fn does_little(operation: &Operation) -> bool {
    use Operation::{
        Activation, BatchNorm2d, DropPath, Dropout, Dropout2d, Flatten, GroupNorm, LayerScale, LocalResponseNorm,
        LogSoftmax, Prelu, Softmax,
    };
    matches!(
        operation,
        Activation(_)
            | BatchNorm2d { .. }
            | DropPath { .. }
            | Dropout { .. }
            | Dropout2d { .. }
            | Flatten
            | GroupNorm { .. }
            | LayerScale { .. }
            | LocalResponseNorm(_)
            | LogSoftmax
            | Prelu { .. }
            | Softmax
    )
}

/// Every step with its whole name and the steps that it reads, counted from 1; of a network that is a step, its own in its place.
/// So many are counted before; the first of these reads `input`.
fn leaves(
    steps: &'static [Step],
    prefix: &str,
    input: usize,
    count: &mut usize,
) -> Vec<(String, &'static Step, Vec<usize>)> {
    let mut found = Vec::new();
    let mut number_of = vec![input];
    for step in steps {
        let inputs: Vec<usize> = step.inputs.iter().map(|input| number_of[*input]).collect();
        let dot = if prefix.is_empty() || step.path.is_empty() { "" } else { "." };
        let path = format!("{prefix}{dot}{}", step.path);
        match step.operation {
            Operation::Network(inner) if !inner.is_empty() => {
                found.extend(leaves(inner, &path, inputs.first().copied().unwrap_or(0), count));
            }
            _ => {
                *count += 1;
                found.push((path, step, inputs));
            }
        }
        number_of.push(*count);
    }
    found
}

/// Boxes of this range, whose names have their first `level` parts in common. A frame is what lies one behind the other: so
/// nothing that it reads comes after it, whatever the names are.
fn tree(paths: &[Vec<&str>], range: core::ops::Range<usize>, level: usize, depth: usize) -> Vec<Item> {
    let mut items = Vec::new();
    let mut first = range.start;
    while first < range.end {
        let part = |index: usize| paths[index].get(level).filter(|_| paths[index].len() > level + 1);
        let end = match part(first) {
            None => first + 1,
            of_first => (first..range.end).find(|index| part(*index) != of_first).unwrap_or(range.end),
        };
        if end == first + 1 {
            items.push(Item::Box(first));
        } else {
            let name = paths[first][..=level].join(".");
            let inner = tree(paths, first..end, level + 1, depth);
            match (level + 1 >= depth, &inner[..]) {
                (true, _) => items.push(Item::Closed(name, (first..end).collect())),
                // A frame around nothing but a frame is none.
                (false, [Item::Frame(..) | Item::Closed(..)]) => items.extend(inner),
                (false, _) => items.push(Item::Frame(name, inner)),
            }
        }
        first = end;
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(items: &[Item]) -> String {
        let item = |item: &Item| match item {
            Item::Box(index) => index.to_string(),
            Item::Closed(name, boxes) => format!("{name}={}", boxes.len()),
            Item::Frame(name, items) => format!("{name}({})", said(items)),
        };
        items.iter().map(item).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn names_that_begin_alike_stand_in_a_frame_if_nothing_is_between() {
        let paths = ["input", "a.0.x", "a.0.y", "a.1", "b.c.x", "b.c.y", "a.2", "a.3"];
        let paths: Vec<Vec<&str>> = paths.iter().map(|path| path.split('.').collect()).collect();
        assert_eq!(said(&tree(&paths, 0..8, 0, usize::MAX)), "0 a(a.0(1 2) 3) b.c(4 5) a(6 7)");
        assert_eq!(said(&tree(&paths, 0..8, 0, 2)), "0 a(a.0=2 3) b.c=2 a(6 7)");
        assert_eq!(said(&tree(&paths, 0..8, 0, 1)), "0 a=3 b=2 a=2");
    }
}
