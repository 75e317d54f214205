//! `softmax` over the features, or over the channels at each position (`nn.Softmax(dim=1)`).
//! <https://pytorch.org/docs/stable/generated/torch.nn.Softmax.html>

use super::{GradInput, Operation, Pass};
use crate::kernel::geometry::Layout;
use crate::kernel::pointwise::softmax;
use crate::kernel::rows::{Rows, RowsMut};

/// A softmax of a network. It has no parameters.
pub trait Softmax {
    /// Channels of the map, or features.
    const CHANNELS: usize;
    /// Where the maps lie.
    const LAYOUT: Layout;
    /// The layer as data.
    const OPERATION: Operation = Operation::Softmax;
}

/// input `[n, .., c]` -> output `[n, .., c]`
pub fn forward<L: Softmax>(_pass: &mut Pass<'_>, _parameters: &[f32], input: &[f32], output: &mut [f32]) {
    let Layout { in_stride, out_stride } = L::LAYOUT;
    softmax::forward(L::CHANNELS, Rows::strided(input, in_stride), RowsMut::strided(output, out_stride));
}

/// output `[n, .., c]`, grad_output `[n, .., c]` -> grad_input `[n, .., c]`
pub fn backward<L: Softmax>(
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
        softmax::backward(L::CHANNELS, output, grad_output, RowsMut::strided(values, in_stride), write);
    }
}
