//! `flatten`, where it has to move values. <https://pytorch.org/docs/stable/generated/torch.nn.Flatten.html>
//!
//! Before a `linear` layer nothing moves: its weight is kept in the map's order. Elsewhere PyTorch's order of features,
//! `[c, h, w]`, is made from the channels-last one.

use super::{GradInput, Operation, Pass};
use crate::kernel::Write;
use crate::tensor::order::{add_transposed_samples, transpose_samples};

/// A flattening of a network. It has no parameters.
pub trait Flatten {
    /// Channels of the input map.
    const CHANNELS: usize;
    /// Rows times columns of the input map.
    const POSITIONS: usize;
    /// The layer as data.
    const OPERATION: Operation = Operation::Flatten;
}

/// input `[n, h, w, c]` -> output `[n, c * h * w]`
pub fn forward<L: Flatten>(_pass: &mut Pass<'_>, _parameters: &[f32], input: &[f32], output: &mut [f32]) {
    transpose_samples(L::POSITIONS, L::CHANNELS, input, output);
}

/// grad_output `[n, c * h * w]` -> grad_input `[n, h, w, c]`
pub fn backward<L: Flatten>(
    _pass: &mut Pass<'_>,
    _parameters: &[f32],
    _input: &[f32],
    _output: &[f32],
    grad_output: &mut [f32],
    grad_input: Option<GradInput<'_>>,
    _grad_parameters: &mut [f32],
) {
    if let Some(GradInput { values, write }) = grad_input {
        match write {
            Write::Store => transpose_samples(L::CHANNELS, L::POSITIONS, grad_output, values),
            Write::Add => add_transposed_samples(L::CHANNELS, L::POSITIONS, grad_output, values),
        }
    }
}
