//! `avg_pool2d`. <https://pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html>

use super::{GradInput, Operation, Pass};
use crate::kernel::geometry::Pool2dGeometry;
use crate::kernel::pooling;

/// A pooling of a network. It has no parameters.
pub trait AvgPool2d {
    /// Its numbers.
    const GEOMETRY: Pool2dGeometry;
    /// The layer as data.
    const OPERATION: Operation = Operation::AvgPool2d(Self::GEOMETRY);
}

/// input `[n, ih, iw, c]` -> output `[n, oh, ow, c]`
pub fn forward<L: AvgPool2d>(_pass: &mut Pass<'_>, _parameters: &[f32], input: &[f32], output: &mut [f32]) {
    pooling::average_forward(&L::GEOMETRY, input, output);
}

/// input `[n, ih, iw, c]`, grad_output `[n, oh, ow, c]` -> grad_input `[n, ih, iw, c]`
pub fn backward<L: AvgPool2d>(
    _pass: &mut Pass<'_>,
    _parameters: &[f32],
    _input: &[f32],
    _output: &[f32],
    grad_output: &mut [f32],
    grad_input: Option<GradInput<'_>>,
    _grad_parameters: &mut [f32],
) {
    if let Some(GradInput { values, write }) = grad_input {
        pooling::average_backward(&L::GEOMETRY, grad_output, values, write);
    }
}
