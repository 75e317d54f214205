//! `zero_pad2d`. <https://pytorch.org/docs/stable/generated/torch.nn.ZeroPad2d.html>
//!
//! **Four sides are top, bottom, left, right**, as for every padding of the language. PyTorch's `ZeroPad2d` takes them as
//! left, right, top, bottom.

use super::{GradInput, Operation, Pass};
use crate::kernel::geometry::ZeroPad2dGeometry;
use crate::kernel::resampling::zero_pad2d;

/// Zeros around a map. It has no parameters.
pub trait ZeroPad2d {
    /// Its numbers.
    const GEOMETRY: ZeroPad2dGeometry;
    /// The layer as data.
    const OPERATION: Operation = Operation::ZeroPad2d(Self::GEOMETRY);
}

/// input `[n, ih, iw, c]` -> output `[n, oh, ow, c]`
pub fn forward<L: ZeroPad2d>(_pass: &mut Pass<'_>, _parameters: &[f32], input: &[f32], output: &mut [f32]) {
    zero_pad2d::forward(&L::GEOMETRY, input, output);
}

/// grad_output `[n, oh, ow, c]` -> grad_input `[n, ih, iw, c]`
pub fn backward<L: ZeroPad2d>(
    _pass: &mut Pass<'_>,
    _parameters: &[f32],
    _input: &[f32],
    _output: &[f32],
    grad_output: &mut [f32],
    grad_input: Option<GradInput<'_>>,
    _grad_parameters: &mut [f32],
) {
    if let Some(GradInput { values, write }) = grad_input {
        zero_pad2d::backward(&L::GEOMETRY, grad_output, values, write);
    }
}
