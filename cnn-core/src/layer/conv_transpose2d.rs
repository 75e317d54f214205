//! `conv_transpose2d`, and `conv_transpose1d`, whose weight has other sizes in files. <https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html>

use super::conv2d::filters;
use super::parameter::bound;
use super::prepare::{Fold, MadeFor, Prepared, folded, weight_and_bias};
use super::{GradInput, Initial, Operation, Order, Parameter, Pass};
use crate::kernel::convolution::Epilogue;
use crate::kernel::convolution::conv_transpose2d;
use crate::kernel::geometry::ConvTranspose2dGeometry;
use crate::kernel::memory::scratch::Needs;
use crate::kernel::pointwise::join;
use crate::kernel::rows::{Rows, RowsMut};
use crate::kernel::{FusedActivation, Write};

/// A transposed convolution of a network. Parameters are the weight `[groups, kh, kw, oc / groups, ic / groups]`, then the
/// bias `[oc]` if there is one.
pub trait ConvTranspose2d {
    /// Its numbers.
    const GEOMETRY: ConvTranspose2dGeometry;
    /// Whether a bias is added.
    const BIAS: bool;
    /// The rectifier behind it, if that is part of it.
    const FUSED: FusedActivation;
    /// How many sizes its weight has in files.
    const RANK: usize = 4;
    /// The layer as data.
    const OPERATION: Operation =
        Operation::ConvTranspose2d { geometry: Self::GEOMETRY, bias: Self::BIAS, rank: Self::RANK };
    /// The scratch memory that its loops take.
    const NEEDS: Needs = Self::OPERATION.needs();
}

/// See [`conv2d::needs`](super::conv2d::needs).
pub const fn needs<L: ConvTranspose2d>() -> Needs {
    L::NEEDS
}

/// PyTorch's default: uniform within `1/sqrt(fan_in)`, both weight and bias, where it takes the output channels of a group
/// for the inputs of a filter.
pub(super) const fn parameters(geometry: &ConvTranspose2dGeometry, rank: usize) -> [Parameter; 2] {
    let out_channels = geometry.out_channels / geometry.groups;
    let [kernel_height, kernel_width] = geometry.kernel_size;
    let initial = Initial::Uniform(bound(out_channels.saturating_mul(kernel_height).saturating_mul(kernel_width)));
    let weight = Parameter {
        name: "weight",
        sizes: filters(geometry.in_channels, out_channels, geometry.kernel_size, rank),
        rank,
        initial,
        // That of the convolution which goes back.
        order: Order::Conv2d { groups: geometry.groups },
    };
    [weight, Parameter::vector("bias", geometry.out_channels, initial)]
}

/// input `[n, ih, iw, ic]` -> output `[n, oh, ow, oc]`
pub fn forward<L: ConvTranspose2d>(pass: &mut Pass<'_>, parameters: &[f32], input: &[f32], output: &mut [f32]) {
    let (weight, bias) = parameters.split_at(L::GEOMETRY.weight_len());
    let epilogue = Epilogue { bias: L::BIAS.then_some(bias), fused: L::FUSED, ..Epilogue::default() };
    conv_transpose2d::forward(&L::GEOMETRY, epilogue, input, weight, output, pass.scratch);
}

/// input `[n, ih, iw, ic]`, grad_output `[n, oh, ow, oc]` -> grad_input `[n, ih, iw, ic]`, grad_parameters
pub fn backward<L: ConvTranspose2d>(
    pass: &mut Pass<'_>,
    parameters: &[f32],
    input: &[f32],
    output: &[f32],
    grad_output: &mut [f32],
    grad_input: Option<GradInput<'_>>,
    grad_parameters: &mut [f32],
) {
    if !matches!(L::FUSED, FusedActivation::None) {
        let stride = L::GEOMETRY.layout.out_stride;
        let (output, grad_output) = (Rows::strided(output, stride), RowsMut::strided(grad_output, stride));
        join::rectify_backward(L::GEOMETRY.out_channels, L::FUSED, output, grad_output);
    }
    let (weight, _) = parameters.split_at(L::GEOMETRY.weight_len());
    let (grad_weight, grad_bias) = grad_parameters.split_at_mut(L::GEOMETRY.weight_len());
    let grad_bias = L::BIAS.then_some(grad_bias);
    if pass.trains() {
        conv_transpose2d::backward_weight(&L::GEOMETRY, input, grad_output, grad_weight, grad_bias, pass.scratch);
    }
    if let Some(GradInput { values, write }) = grad_input.filter(|_| pass.wants_input()) {
        conv_transpose2d::backward_input(&L::GEOMETRY, weight, grad_output, values, write, pass.scratch);
    }
}

/// What a predictor has of it.
pub const fn prepared<L: ConvTranspose2d>() -> Prepared {
    Prepared::of(conv_transpose2d::packed_len(&L::GEOMETRY)).with_slots(L::NEEDS)
}

/// Packs its weights, with normalizations behind it as part of them.
pub fn prepare<L: ConvTranspose2d>(made_for: MadeFor, parameters: &[f32], folds: &[Fold<'_>], prepared: &mut [f32]) {
    pack(&L::GEOMETRY, made_for, parameters, folds, prepared);
}

fn pack(
    geometry: &ConvTranspose2dGeometry,
    made_for: MadeFor,
    parameters: &[f32],
    folds: &[Fold<'_>],
    prepared: &mut [f32],
) {
    let (of_group, len) = (geometry.out_channels / geometry.groups, geometry.weight_len() / geometry.groups);
    let row = geometry.in_channels / geometry.groups;
    let channel = |place: usize| place / len * of_group + place / row % of_group;
    let parameters = folded(parameters, geometry.weight_len(), geometry.out_channels, folds, channel);
    let (weight, bias) = weight_and_bias(&parameters, geometry.weight_len());
    let prepared = &mut prepared[..conv_transpose2d::packed_len(geometry)];
    conv_transpose2d::pack(geometry, made_for, weight, bias, prepared);
}

/// [`forward`] with weights that are prepared.
pub fn predict<L: ConvTranspose2d>(pass: &mut Pass<'_>, prepared: &[f32], input: &[f32], output: &mut [f32]) {
    run::<L>(pass, Write::Store, prepared, input, output);
}

/// [`predict`] where the result is added to what is in the output, and rectified together with it.
pub fn predict_add<L: ConvTranspose2d>(pass: &mut Pass<'_>, prepared: &[f32], input: &[f32], output: &mut [f32]) {
    run::<L>(pass, Write::Add, prepared, input, output);
}

fn run<L: ConvTranspose2d>(pass: &mut Pass<'_>, write: Write, prepared: &[f32], input: &[f32], output: &mut [f32]) {
    let epilogue = Epilogue { bias: None, write, fused: L::FUSED };
    let prepared = &prepared[..conv_transpose2d::packed_len(&L::GEOMETRY)];
    conv_transpose2d::forward_packed(&L::GEOMETRY, epilogue, input, prepared, output, pass.scratch);
}
