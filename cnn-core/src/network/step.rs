//! The steps of a network as plain data.

use crate::kernel::scratch::Needs;
use crate::layer::{Operation, Parameter};
use crate::shape::Sizes;

/// A step of a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// PyTorch's name of the module, such as `layer1.0.conv1`; a parameter's name is this, a dot, and its own.
    pub path: &'static str,
    /// The layer's name in the language, or the user's type.
    pub layer: &'static str,
    /// What it does.
    pub operation: Operation,
    /// The map that it gets.
    pub input: Sizes,
    /// The map that it makes.
    pub output: Sizes,
}

impl Step {
    /// The full name of one of its parameters.
    pub(crate) fn parameter_name(&self, parameter: &Parameter) -> String {
        format!("{}.{}", self.path, parameter.name)
    }
}

/// Memory of a network: f32 values per sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Maps alive at once in evaluation.
    pub evaluation: usize,
    /// Maps that training keeps for the backward pass.
    pub training: usize,
    /// Gradients of maps alive at once in the backward pass.
    pub gradient: usize,
}

/// Values of one sample in memory that is shared by many: rounded up, so that the next map starts on a cache line
/// however many samples there are.
pub const fn aligned(values: usize) -> usize {
    values.next_multiple_of(16)
}

/// Trainable values of all steps.
pub const fn parameters(steps: &[Step]) -> usize {
    let (mut sum, mut index) = (0, 0);
    while index < steps.len() {
        sum += steps[index].operation.parameter_count();
        index += 1;
    }
    sum
}

/// Multiply-adds of all steps.
pub const fn multiply_adds(steps: &[Step]) -> usize {
    let (mut sum, mut index) = (0, 0);
    while index < steps.len() {
        sum += steps[index].operation.multiply_adds();
        index += 1;
    }
    sum
}

/// Scratch memory that serves every step.
pub const fn needs(steps: &[Step]) -> Needs {
    let (mut needs, mut index) = (Needs { shared: 0, per_thread: 0 }, 0);
    while index < steps.len() {
        needs = needs.max(steps[index].operation.needs());
        index += 1;
    }
    needs
}
