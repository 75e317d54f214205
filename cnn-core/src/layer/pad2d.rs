//! `zero_pad2d` and its like, <https://pytorch.org/docs/stable/nn.html#padding-layers>; they are part of a convolution with a
//! `padding_mode`.
//!
//! **Four sides are top, bottom, left, right**, as for every padding of the language. PyTorch's `ZeroPad2d` takes them as
//! left, right, top, bottom.

use super::{GradInput, Operation, Pass};
use crate::kernel::geometry::Pad2dGeometry;
use crate::kernel::resampling::pad2d;

/// Rows and columns around a map. It has no parameters.
pub trait Pad2d {
    /// Its numbers.
    const GEOMETRY: Pad2dGeometry;
    /// The layer as data.
    const OPERATION: Operation = Operation::Pad2d(Self::GEOMETRY);
}

/// input `[n, ih, iw, c]` -> output `[n, oh, ow, c]`
pub fn forward<L: Pad2d>(_pass: &mut Pass<'_>, _parameters: &[f32], input: &[f32], output: &mut [f32]) {
    pad2d::forward(&L::GEOMETRY, input, output);
}

/// grad_output `[n, oh, ow, c]` -> grad_input `[n, ih, iw, c]`
pub fn backward<L: Pad2d>(
    _pass: &mut Pass<'_>,
    _parameters: &[f32],
    _input: &[f32],
    _output: &[f32],
    grad_output: &mut [f32],
    grad_input: Option<GradInput<'_>>,
    _grad_parameters: &mut [f32],
) {
    if let Some(GradInput { values, write }) = grad_input {
        pad2d::backward(&L::GEOMETRY, grad_output, values, write);
    }
}
