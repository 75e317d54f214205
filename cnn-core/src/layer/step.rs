//! The steps of a network as plain data, and what they cost together.

use super::Operation;
use super::parts::Parts;
use crate::shape::Sizes;

/// A step of a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// PyTorch's name of the module, such as `layer1.0.conv1`; a tensor's name is this, a dot, and its own. Of a step that
    /// lends its names (`_: layer`) it is that of the sequence around it, which may be nothing.
    pub path: &'static str,
    /// The layer's name in the language, or the user's type.
    pub layer: &'static str,
    /// What it does.
    pub operation: Operation,
    /// The step whose weights and state it uses (`share<label>`), by its place in the list, counted from 0; none if it has its
    /// own.
    pub shares: Option<usize>,
    /// The steps whose maps it gets, by their place in the list, counted from 1; 0 is the network's input.
    pub inputs: &'static [usize],
    /// The map that it gets; of a join, that of its first branch.
    pub input: Sizes,
    /// The map that it makes.
    pub output: Sizes,
}

/// The name of something in a module: both with a dot between them, if both have a name.
pub fn within(module: &str, name: &str) -> String {
    let dot = if module.is_empty() || name.is_empty() { "" } else { "." };
    format!("{module}{dot}{name}")
}

/// Trainable values of all steps.
pub const fn parameters(steps: &[Step]) -> usize {
    let (mut sum, mut index) = (0_usize, 0);
    while index < steps.len() {
        if steps[index].shares.is_none() {
            sum = sum.saturating_add(steps[index].operation.parameter_count());
        }
        index += 1;
    }
    sum
}

/// Numbers of all steps that are kept and not trained.
pub const fn state(steps: &[Step]) -> usize {
    let (mut sum, mut index) = (0_usize, 0);
    while index < steps.len() {
        if steps[index].shares.is_none() {
            sum = sum.saturating_add(steps[index].operation.state_count());
        }
        index += 1;
    }
    sum
}

/// Counts of all steps.
pub const fn counts(steps: &[Step]) -> usize {
    let (mut sum, mut index) = (0, 0);
    while index < steps.len() {
        if steps[index].shares.is_none() {
            sum += steps[index].operation.counts();
        }
        index += 1;
    }
    sum
}

/// Values per batch that the forward passes of all steps keep for the backward passes, and gradients of shared weights before
/// they are added to others.
pub const fn saved(steps: &[Step]) -> usize {
    let (mut sum, mut index) = (0_usize, 0);
    while index < steps.len() {
        sum = sum.saturating_add(steps[index].operation.saved());
        if steps[index].shares.is_some() {
            sum = sum.saturating_add(steps[index].operation.parameter_count());
        }
        index += 1;
    }
    sum
}

/// Multiply-adds of all steps.
pub const fn multiply_adds(steps: &[Step]) -> usize {
    let (mut sum, mut index) = (0_usize, 0);
    while index < steps.len() {
        sum = sum.saturating_add(steps[index].operation.multiply_adds());
        index += 1;
    }
    sum
}

/// What a value costs that a step makes, beside the multiply-adds that it is a sum of: it is written, read and often put
/// through a function.
const VALUE: usize = 8;

/// What a sample's forward pass costs, in about the time of a multiply-add: how many threads that is worth.
pub const fn cost(steps: &[Step]) -> usize {
    let (mut sum, mut index) = (multiply_adds(steps), 0);
    while index < steps.len() {
        sum = sum.saturating_add(steps[index].output.len().saturating_mul(VALUE));
        index += 1;
    }
    sum
}

/// The last step, if it is a softmax: then it makes the network's output.
pub fn last_softmax(steps: &[Step]) -> Option<usize> {
    let last = steps.len().checked_sub(1)?;
    (steps[last].operation == Operation::Softmax).then_some(last)
}

/// The first step, with the names around it, that in training has one value for each channel to take statistics of, if the
/// batch is one sample.
pub(crate) fn without_variance(steps: &'static [Step], parts: Option<&Parts>) -> Option<(String, Sizes)> {
    steps.iter().enumerate().find_map(|(index, step)| match step.operation {
        Operation::BatchNorm2d { .. }
            if step.input.positions() == 1 && parts.is_none_or(|parts| !parts.evaluates(index)) =>
        {
            Some((step.path.to_owned(), step.input))
        }
        Operation::Network(inner) => without_variance(inner, parts.and_then(|parts| parts.inner(index)))
            .map(|(path, sizes)| (within(step.path, &path), sizes)),
        _ => None,
    })
}

/// Every step with its whole name: of a network that is a step, its own in its place.
pub(crate) fn leaves(steps: &'static [Step]) -> Vec<(String, &'static Step)> {
    let mut found = Vec::new();
    for step in steps {
        match step.operation {
            Operation::Network(inner) => {
                let named = |(path, inner): (String, _)| (within(step.path, &path), inner);
                found.extend(leaves(inner).into_iter().map(named));
            }
            _ => found.push((step.path.to_owned(), step)),
        }
    }
    found
}
