//! `softmax(over = width)`, `log_softmax(over = width)`: of each row of a map, channel by channel (`nn.Softmax(dim=-1)`), as the
//! weights of an attention are.

use super::{GradInput, Operation, Pass};
use crate::kernel::pointwise::softmax;

/// A softmax of rows of a network. It has no parameters.
pub trait SoftmaxOverWidth {
    /// Channels of the map.
    const CHANNELS: usize;
    /// Cells of a row.
    const WIDTH: usize;
    /// Whether it is the logarithm.
    const LOGARITHM: bool;
    /// The layer as data.
    const OPERATION: Operation = Operation::SoftmaxOverWidth { logarithm: Self::LOGARITHM };
}

/// input `[n, h, w, c]` -> output `[n, h, w, c]`
pub fn forward<L: SoftmaxOverWidth>(_pass: &mut Pass<'_>, _parameters: &[f32], input: &[f32], output: &mut [f32]) {
    softmax::forward_over_width(L::LOGARITHM, [L::CHANNELS, L::WIDTH], input, output);
}

/// output `[n, h, w, c]`, grad_output `[n, h, w, c]` -> grad_input `[n, h, w, c]`
pub fn backward<L: SoftmaxOverWidth>(
    _pass: &mut Pass<'_>,
    _parameters: &[f32],
    _input: &[f32],
    output: &[f32],
    grad_output: &mut [f32],
    grad_input: Option<GradInput<'_>>,
    _grad_parameters: &mut [f32],
) {
    if let Some(GradInput { values, write }) = grad_input {
        softmax::backward_over_width(L::LOGARITHM, [L::CHANNELS, L::WIDTH], output, grad_output, values, write);
    }
}
