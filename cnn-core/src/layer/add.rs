//! `add`: the sum of branches. Each may be some of the channels of a wider map.

use super::GradInput;
use crate::kernel::pointwise::join;
use crate::kernel::rows::{Rows, RowsMut};
use crate::kernel::{FusedActivation, Write};

/// a, b `[n, h, w, c]` -> output `[n, h, w, c]`: their sum, rectified if the rectifier that follows is part of it.
pub fn forward(channels: usize, fused: FusedActivation, a: Rows<'_>, b: Rows<'_>, output: RowsMut<'_>) {
    join::add(channels, fused, a, b, output);
}

/// [`forward`] where the sum of the branches before is the output already.
pub fn accumulate(channels: usize, fused: FusedActivation, branch: Rows<'_>, output: RowsMut<'_>) {
    join::accumulate(channels, fused, branch, output);
}

/// output, grad_output `[n, h, w, c]` -> the gradient of the sum before it was rectified, in the place of grad_output.
pub fn rectify_backward(channels: usize, fused: FusedActivation, output: Rows<'_>, grad_output: RowsMut<'_>) {
    join::rectify_backward(channels, fused, output, grad_output);
}

/// grad_output `[n, h, w, c]` -> grad_branch `[n, h, w, c]`, the same, if it is wanted; its cells are `stride` values apart
/// where it is a part of a wider map, otherwise that is 0.
pub fn backward(channels: usize, grad_output: Rows<'_>, grad_branch: Option<GradInput<'_>>, stride: usize) {
    if let Some(GradInput { values, write }) = grad_branch {
        let to = RowsMut::strided(values, stride);
        match write {
            Write::Store => join::copy(channels, grad_output, to),
            Write::Add => join::accumulate(channels, FusedActivation::None, grad_output, to),
        }
    }
}
