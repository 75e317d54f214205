//! `log_softmax` over the features, or over the channels at each position (`nn.LogSoftmax(dim=1)`).
//! <https://pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html>
//!
//! Its output is of a plain shape, and cross-entropy takes it as it takes logits: the logarithms of probabilities are
//! logits of these probabilities, the softmax of which they are already. So the loss is the same, and the gradient goes
//! back through both.

use super::{GradInput, Operation, Pass};
use crate::kernel::geometry::Layout;
use crate::kernel::pointwise::softmax;
use crate::kernel::rows::{Rows, RowsMut};

/// A softmax of a network, as logarithms. It has no parameters.
pub trait LogSoftmax {
    /// Channels of the map, or features.
    const CHANNELS: usize;
    /// Where the maps lie.
    const LAYOUT: Layout;
    /// The layer as data.
    const OPERATION: Operation = Operation::LogSoftmax;
}

/// input `[n, .., c]` -> output `[n, .., c]`
pub fn forward<L: LogSoftmax>(_pass: &mut Pass<'_>, _parameters: &[f32], input: &[f32], output: &mut [f32]) {
    let Layout { in_stride, out_stride } = L::LAYOUT;
    softmax::log_forward(L::CHANNELS, Rows::strided(input, in_stride), RowsMut::strided(output, out_stride));
}

/// output `[n, .., c]`, grad_output `[n, .., c]` -> grad_input `[n, .., c]`
pub fn backward<L: LogSoftmax>(
    _pass: &mut Pass<'_>,
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
        softmax::log_backward(L::CHANNELS, output, grad_output, RowsMut::strided(values, in_stride), write);
    }
}
