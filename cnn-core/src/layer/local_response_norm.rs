//! `local_response_norm`. <https://pytorch.org/docs/stable/generated/torch.nn.LocalResponseNorm.html>

use super::{GradInput, Operation, Pass};
use crate::kernel::geometry::LocalResponseNormGeometry;
use crate::kernel::memory::scratch::Needs;
use crate::kernel::normalization::local_response_norm;

/// A normalization over neighbouring channels. It has no parameters.
pub trait LocalResponseNorm {
    /// Its numbers.
    const GEOMETRY: LocalResponseNormGeometry;
    /// The layer as data.
    const OPERATION: Operation = Operation::LocalResponseNorm(Self::GEOMETRY);
    /// The scratch memory that its loops take.
    const NEEDS: Needs = Self::OPERATION.needs();
}

/// See [`conv2d::needs`](super::conv2d::needs).
pub const fn needs<L: LocalResponseNorm>() -> Needs {
    L::NEEDS
}

/// input `[n, h, w, c]` -> output `[n, h, w, c]`
pub fn forward<L: LocalResponseNorm>(pass: &mut Pass<'_>, _parameters: &[f32], input: &[f32], output: &mut [f32]) {
    local_response_norm::forward(&L::GEOMETRY, input, output, pass.scratch);
}

/// input `[n, h, w, c]`, grad_output `[n, h, w, c]` -> grad_input `[n, h, w, c]`
pub fn backward<L: LocalResponseNorm>(
    pass: &mut Pass<'_>,
    _parameters: &[f32],
    input: &[f32],
    _output: &[f32],
    grad_output: &mut [f32],
    grad_input: Option<GradInput<'_>>,
    _grad_parameters: &mut [f32],
) {
    if let Some(GradInput { values, write }) = grad_input {
        local_response_norm::backward(&L::GEOMETRY, input, grad_output, values, write, pass.scratch);
    }
}
