//! `unflatten`, `channel_slice`, `crop`, `channel_shuffle`, `pixel_shuffle`, `pixel_unshuffle`, `transpose`, `reshape`,
//! `permute`: values at other places. <https://pytorch.org/docs/stable/nn.html#vision-layers>

use super::{GradInput, Operation, Pass};
use crate::kernel::geometry::RearrangementGeometry;
use crate::kernel::resampling::rearrange;

/// A rearrangement of a network. It has no parameters.
pub trait Rearrange {
    /// Its numbers.
    const GEOMETRY: RearrangementGeometry;
    /// The layer as data.
    const OPERATION: Operation = Operation::Rearrange(Self::GEOMETRY);
}

/// input `[n, in_len]` -> output `[n, sizes]`
pub fn forward<L: Rearrange>(_pass: &mut Pass<'_>, _parameters: &[f32], input: &[f32], output: &mut [f32]) {
    rearrange::forward(&L::GEOMETRY, input, output);
}

/// grad_output `[n, sizes]` -> grad_input `[n, in_len]`
pub fn backward<L: Rearrange>(
    _pass: &mut Pass<'_>,
    _parameters: &[f32],
    _input: &[f32],
    _output: &[f32],
    grad_output: &mut [f32],
    grad_input: Option<GradInput<'_>>,
    _grad_parameters: &mut [f32],
) {
    if let Some(GradInput { values, write }) = grad_input {
        rearrange::backward(&L::GEOMETRY, grad_output, values, write);
    }
}
