//! `softmax` over the features, or over the channels at each position (`nn.Softmax(dim=1)`).
//! <https://pytorch.org/docs/stable/generated/torch.nn.Softmax.html>
//!
//! Probabilities lose what their logits say: the smallest is zero, and the gradient of its logarithm comes back as nothing.
//! So a loss may have the logits of the softmax that a network ends in, and give their gradient: the two are one function.

use super::{GradInput, Operation, Pass};
use crate::kernel::geometry::Layout;
use crate::kernel::pointwise::{join, softmax};
use crate::kernel::rows::{Rows, RowsMut};
use crate::kernel::{FusedActivation, Write};

/// A softmax of a network. It has no parameters.
pub trait Softmax {
    /// Channels of the map, or features.
    const CHANNELS: usize;
    /// Where the maps lie.
    const LAYOUT: Layout;
    /// The layer as data.
    const OPERATION: Operation = Operation::Softmax;
}

/// input `[n, .., c]` -> output `[n, .., c]`; the input itself, where the loss takes logits
pub fn forward<L: Softmax>(pass: &mut Pass<'_>, _parameters: &[f32], input: &[f32], output: &mut [f32]) {
    let Layout { in_stride, out_stride } = L::LAYOUT;
    let (input, output) = (Rows::strided(input, in_stride), RowsMut::strided(output, out_stride));
    if pass.is_softmax_of_loss() {
        join::copy(L::CHANNELS, input, output);
    } else {
        softmax::forward(L::CHANNELS, input, output);
    }
}

/// output `[n, .., c]`, grad_output `[n, .., c]` -> grad_input `[n, .., c]`; grad_output itself, where the loss takes logits
pub fn backward<L: Softmax>(
    pass: &mut Pass<'_>,
    _parameters: &[f32],
    _input: &[f32],
    output: &[f32],
    grad_output: &mut [f32],
    grad_input: Option<GradInput<'_>>,
    _grad_parameters: &mut [f32],
) {
    if let Some(GradInput { values, write }) = grad_input {
        let Layout { in_stride, out_stride } = L::LAYOUT;
        let (output, grad_output) = (Rows::strided(output, out_stride), Rows::strided(grad_output, out_stride));
        let grad_input = RowsMut::strided(values, in_stride);
        match (pass.is_softmax_of_loss(), write) {
            (false, _) => softmax::backward(L::CHANNELS, output, grad_output, grad_input, write),
            (true, Write::Store) => join::copy(L::CHANNELS, grad_output, grad_input),
            (true, Write::Add) => join::accumulate(L::CHANNELS, FusedActivation::None, grad_output, grad_input),
        }
    }
}
