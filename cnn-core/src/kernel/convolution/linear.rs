//! Linear layers: a convolution of 1 x 1 maps, on the same tile.

use super::Epilogue;
use super::packed::{self, MadeFor, Packing};
use crate::kernel::Write;
use crate::kernel::geometry::{Conv2dAlgorithm, Conv2dGeometry, LinearGeometry, Padding};
use crate::kernel::memory::scratch::{Needs, Scratch};

impl LinearGeometry {
    const fn convolution(&self) -> Conv2dGeometry {
        Conv2dGeometry {
            in_channels: self.in_features,
            in_size: [1, 1],
            out_channels: self.out_features,
            kernel_size: [1, 1],
            stride: [1, 1],
            padding: Padding::symmetric([0, 0]),
            unread: [0, 0],
            algorithm: Conv2dAlgorithm::Auto,
            dilation: [1, 1],
            groups: 1,
            layout: self.layout,
        }
    }

    /// What [`forward`], [`backward_input`] and [`backward_weight`] work in.
    pub const fn needs(&self) -> Needs {
        self.convolution().needs()
    }
}

/// input `[n, in_features]`, weight `[in_features, out_features]` -> output `[n, out_features]`.
/// <https://pytorch.org/docs/stable/generated/torch.nn.Linear.html>
pub fn forward(
    geometry: &LinearGeometry,
    epilogue: Epilogue<'_>,
    input: &[f32],
    weight: &[f32],
    output: &mut [f32],
    scratch: &mut Scratch,
) {
    super::forward(&geometry.convolution(), epilogue, input, weight, output, scratch);
}

/// Values of a packed weight with its bias: see [`packed::packed_len`].
pub const fn packed_len(geometry: &LinearGeometry) -> usize {
    packed::packed_len(&geometry.convolution())
}

/// Packs weight and bias for [`forward_packed`] into [`packed_len`] values.
pub fn pack(geometry: &LinearGeometry, made_for: MadeFor, weight: &[f32], bias: Option<&[f32]>, packed: &mut [f32]) {
    packed::pack(&geometry.convolution(), made_for, weight, bias, packed);
}

/// All that is known of a packed weight before there is one.
pub const fn packing(geometry: &LinearGeometry) -> Packing {
    Packing::of(&geometry.convolution())
}

/// [`forward`] with a weight and a bias that are packed.
pub fn forward_packed(
    geometry: &LinearGeometry,
    epilogue: Epilogue<'_>,
    input: &[f32],
    packed: &[f32],
    output: &mut [f32],
    scratch: &mut Scratch,
) {
    packed::forward(&geometry.convolution(), epilogue, input, packed, output, scratch);
}

/// weight `[in_features, out_features]`, grad_output `[n, out_features]` -> grad_input `[n, in_features]`.
pub fn backward_input(
    geometry: &LinearGeometry,
    weight: &[f32],
    grad_output: &[f32],
    grad_input: &mut [f32],
    write: Write,
    scratch: &mut Scratch,
) {
    super::backward_input(&geometry.convolution(), weight, grad_output, grad_input, write, scratch);
}

/// input `[n, in_features]`, grad_output `[n, out_features]` -> grad_weight `[in_features, out_features]`, grad_bias
/// `[out_features]`.
pub fn backward_weight(
    geometry: &LinearGeometry,
    input: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
    grad_bias: Option<&mut [f32]>,
    scratch: &mut Scratch,
) {
    super::backward_weight(&geometry.convolution(), input, grad_output, grad_weight, grad_bias, scratch);
}
