//! `upsample`. <https://pytorch.org/docs/stable/generated/torch.nn.Upsample.html>

use super::{GradInput, Operation, Pass};
use crate::kernel::geometry::Upsample2dGeometry;
use crate::kernel::resampling::upsample;

/// A resampling of a network. It has no parameters.
pub trait Upsample {
    /// Its numbers.
    const GEOMETRY: Upsample2dGeometry;
    /// The layer as data.
    const OPERATION: Operation = Operation::Upsample(Self::GEOMETRY);
}

/// input `[n, ih, iw, c]` -> output `[n, oh, ow, c]`
pub fn forward<L: Upsample>(_pass: &mut Pass<'_>, _parameters: &[f32], input: &[f32], output: &mut [f32]) {
    upsample::forward(&L::GEOMETRY, input, output);
}

/// grad_output `[n, oh, ow, c]` -> grad_input `[n, ih, iw, c]`
pub fn backward<L: Upsample>(
    _pass: &mut Pass<'_>,
    _parameters: &[f32],
    _input: &[f32],
    _output: &[f32],
    grad_output: &mut [f32],
    grad_input: Option<GradInput<'_>>,
    _grad_parameters: &mut [f32],
) {
    if let Some(GradInput { values, write }) = grad_input {
        upsample::backward(&L::GEOMETRY, grad_output, values, write);
    }
}
