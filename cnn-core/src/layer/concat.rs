//! `concat`: the channels of all branches. What writes a branch's map writes it where its channels belong, so that most of
//! the time nothing is left to do.

use super::GradInput;
use crate::kernel::pointwise::join;
use crate::kernel::rows::{Rows, RowsMut};

/// branch `[n, h, w, c]` -> some of the channels of the output.
pub fn forward(channels: usize, branch: Rows<'_>, output: RowsMut<'_>) {
    join::copy(channels, branch, output);
}

/// Some of the channels of grad_output -> grad_branch `[n, h, w, c]`, if it is wanted; its cells are `stride` values apart
/// where it is a part of a wider map, otherwise that is 0.
pub fn backward(channels: usize, grad_output: Rows<'_>, grad_branch: Option<GradInput<'_>>, stride: usize) {
    super::add::backward(channels, grad_output, grad_branch, stride);
}
