//! Transposed convolutions: a convolution backwards.
//! <https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html>

use super::Epilogue;
use super::packed::{self, MadeFor};
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

/// Values of a packed weight with its bias: see [`packed::packed_len`].
pub const fn packed_len(geometry: &ConvTranspose2dGeometry) -> usize {
    packed::packed_len_to_input(&geometry.convolution())
}

/// Packs weight `[g, kh, kw, oc / g, ic / g]` and bias `[oc]` for [`forward_packed`] into [`packed_len`] values.
pub fn pack(
    geometry: &ConvTranspose2dGeometry,
    made_for: MadeFor,
    weight: &[f32],
    bias: Option<&[f32]>,
    packed: &mut [f32],
) {
    packed::pack_to_input(&geometry.convolution(), made_for, weight, bias, packed);
}

/// [`forward`] with a weight and a bias that are packed.
pub fn forward_packed(
    geometry: &ConvTranspose2dGeometry,
    epilogue: Epilogue<'_>,
    input: &[f32],
    packed: &[f32],
    output: &mut [f32],
    scratch: &mut Scratch,
) {
    packed::to_input(&geometry.convolution(), epilogue, input, packed, output, scratch);
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
