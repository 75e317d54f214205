//! `matmul`: the matrix product of two maps, channel by channel.
//! <https://pytorch.org/docs/stable/generated/torch.matmul.html>

use super::{GradInput, Pass};
use crate::kernel::geometry::MatmulGeometry;
use crate::kernel::product::matmul;

/// first `[n, rows, depth, c]`, second `[n, depth, columns, c]` -> output `[n, rows, columns, c]`; what is transposed lies so.
pub fn forward(geometry: MatmulGeometry, pass: &mut Pass<'_>, first: &[f32], second: &[f32], output: &mut [f32]) {
    matmul::forward(&geometry, first, second, output, pass.scratch);
}

/// second, grad_output -> the gradient of the first map, if it is wanted.
pub fn backward_first(
    geometry: MatmulGeometry,
    pass: &mut Pass<'_>,
    second: &[f32],
    grad_output: &[f32],
    grad_first: Option<GradInput<'_>>,
) {
    if let Some(GradInput { values, write }) = grad_first {
        matmul::backward_first(&geometry, second, grad_output, values, write, pass.scratch);
    }
}

/// first, grad_output -> the gradient of the second map, if it is wanted.
pub fn backward_second(
    geometry: MatmulGeometry,
    pass: &mut Pass<'_>,
    first: &[f32],
    grad_output: &[f32],
    grad_second: Option<GradInput<'_>>,
) {
    if let Some(GradInput { values, write }) = grad_second {
        matmul::backward_second(&geometry, first, grad_output, values, write, pass.scratch);
    }
}
