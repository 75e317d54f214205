//! Transposed convolutions: a convolution backwards.
//! <https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html>

use super::Epilogue;
use crate::kernel::Write;
use crate::kernel::geometry::ConvTranspose2dGeometry;
use crate::kernel::memory::scratch::{Needs, Scratch};
use crate::kernel::rows::Rows;
use crate::kernel::rows::column_sums::{self, First};

impl ConvTranspose2dGeometry {
    /// What [`forward`], [`backward_input`] and [`backward_weight`] work in.
    pub const fn needs(&self) -> Needs {
        let sums = Needs { shared: column_sums::partials_len(self.out_channels), per_thread: 0 };
        self.convolution().needs().max(sums)
    }
}

/// input `[n, ih, iw, ic]`, weight `[g, kh, kw, oc / g, ic / g]` -> output `[n, oh, ow, oc]`.
#[inline]
pub fn forward(
    geometry: &ConvTranspose2dGeometry,
    epilogue: Epilogue<'_>,
    input: &[f32],
    weight: &[f32],
    output: &mut [f32],
    scratch: &mut Scratch,
) {
    super::input_gradient(&geometry.convolution(), epilogue, weight, input, output, scratch);
}

/// weight `[g, kh, kw, oc / g, ic / g]`, grad_output `[n, oh, ow, oc]` -> grad_input `[n, ih, iw, ic]`.
#[inline]
pub fn backward_input(
    geometry: &ConvTranspose2dGeometry,
    weight: &[f32],
    grad_output: &[f32],
    grad_input: &mut [f32],
    write: Write,
    scratch: &mut Scratch,
) {
    let epilogue = Epilogue { write, ..Epilogue::default() };
    super::forward(&geometry.convolution(), epilogue, grad_output, weight, grad_input, scratch);
}

/// input `[n, ih, iw, ic]`, grad_output `[n, oh, ow, oc]` -> grad_weight `[g, kh, kw, oc / g, ic / g]`, grad_bias `[oc]`.
#[inline]
pub fn backward_weight(
    geometry: &ConvTranspose2dGeometry,
    input: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
    grad_bias: Option<&mut [f32]>,
    scratch: &mut Scratch,
) {
    super::backward_weight(&geometry.convolution(), grad_output, input, grad_weight, None, scratch);
    if let Some(grad_bias) = grad_bias {
        assert_eq!(grad_bias.len(), geometry.out_channels);
        if grad_output.is_empty() {
            return grad_bias.fill(0.0);
        }
        let (partials, _) = scratch.lend(geometry.needs());
        let rows = Rows::strided(grad_output, geometry.output().stride);
        column_sums::run::<First>(rows, rows, grad_bias, partials);
    }
}
