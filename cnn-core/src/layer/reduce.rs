//! `sum`, `mean`, `max`, `logsumexp`, `norm`: the channels of each cell, the cells of each channel, or all of a sample become
//! one value. <https://pytorch.org/docs/stable/torch.html#reduction-ops>

use super::{GradInput, Operation, Pass};
use crate::kernel::geometry::ReductionGeometry;
use crate::kernel::pointwise::reduce;

/// A reduction of a network. It has no parameters.
pub trait Reduce {
    /// Its numbers.
    const GEOMETRY: ReductionGeometry;
    /// The layer as data.
    const OPERATION: Operation = Operation::Reduce(Self::GEOMETRY);
}

/// input `[n, h, w, c]` -> output `[n, h, w, 1]`, `[n, 1, 1, c]` or `[n, 1]`
pub fn forward<L: Reduce>(_pass: &mut Pass<'_>, _parameters: &[f32], input: &[f32], output: &mut [f32]) {
    reduce::forward(&L::GEOMETRY, input, output);
}

/// input and output where the gradient looks at them, grad_output -> grad_input `[n, h, w, c]`
pub fn backward<L: Reduce>(
    _pass: &mut Pass<'_>,
    _parameters: &[f32],
    input: &[f32],
    output: &[f32],
    grad_output: &mut [f32],
    grad_input: Option<GradInput<'_>>,
    _grad_parameters: &mut [f32],
) {
    if let Some(GradInput { values, write }) = grad_input {
        reduce::backward(&L::GEOMETRY, input, output, grad_output, values, write);
    }
}
