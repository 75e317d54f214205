//! `adaptive_max_pool2d`. <https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool2d.html>

use super::{GradInput, Operation, Pass};
use crate::kernel::geometry::AdaptivePool2dGeometry;
use crate::kernel::pooling;

/// A pooling of a network. It has no parameters.
pub trait AdaptiveMaxPool2d {
    /// Its numbers.
    const GEOMETRY: AdaptivePool2dGeometry;
    /// The layer as data.
    const OPERATION: Operation = Operation::AdaptiveMaxPool2d(Self::GEOMETRY);
}

/// input `[n, ih, iw, c]` -> output `[n, oh, ow, c]`
pub fn forward<L: AdaptiveMaxPool2d>(_pass: &mut Pass<'_>, _parameters: &[f32], input: &[f32], output: &mut [f32]) {
    pooling::adaptive_max_forward(&L::GEOMETRY, input, output);
}

/// input `[n, ih, iw, c]`, grad_output `[n, oh, ow, c]` -> grad_input `[n, ih, iw, c]`
pub fn backward<L: AdaptiveMaxPool2d>(
    _pass: &mut Pass<'_>,
    _parameters: &[f32],
    input: &[f32],
    output: &[f32],
    grad_output: &mut [f32],
    grad_input: Option<GradInput<'_>>,
    _grad_parameters: &mut [f32],
) {
    if let Some(GradInput { values, write }) = grad_input {
        pooling::adaptive_max_backward(&L::GEOMETRY, input, output, grad_output, values, write);
    }
}
