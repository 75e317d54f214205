//! `conv2d`, `conv1d` and `linear(over = channels)`, whose weight has other sizes in files. <https://pytorch.org/docs/stable/generated/torch.nn.Conv2d.html>

use std::borrow::Cow;

use super::parameter::bound;
use super::prepare::{Fold, MadeFor, Prepared, folded, weight_and_bias};
use super::{GradInput, Initial, Operation, Order, Parameter, Pass};
use crate::kernel::convolution::packed::{self, Packing};
use crate::kernel::convolution::{self, Epilogue};
use crate::kernel::geometry::Conv2dGeometry;
use crate::kernel::memory::scratch::Needs;
use crate::kernel::pointwise::join;
use crate::kernel::rows::{Rows, RowsMut};
use crate::kernel::{FusedActivation, Write};

/// A convolution of a network. Parameters are the weight `[groups, kh, kw, ic / groups, oc / groups]`, then the bias
/// `[oc]` if there is one.
///
/// With up to eight output channels, neighbouring cells of a row may be computed together, with zeros in the filters: an
/// infinite input, or NaN, can then make outputs in that row NaN of which it is not under the window.
pub trait Conv2d {
    /// Its numbers.
    const GEOMETRY: Conv2dGeometry;
    /// Whether a bias is added.
    const BIAS: bool;
    /// The rectifier behind it, if that is part of it.
    const FUSED: FusedActivation;
    /// How many sizes its weight has in files.
    const RANK: usize = 4;
    /// The layer as data.
    const OPERATION: Operation = Operation::Conv2d { geometry: Self::GEOMETRY, bias: Self::BIAS, rank: Self::RANK };
    /// The scratch memory that its loops take.
    const NEEDS: Needs = Self::OPERATION.needs();
}

/// `NEEDS`, looked at where it is called: rustc evaluates a constant of a type that it knows wherever it stands, even one
/// that a mistake made senseless.
pub const fn needs<L: Conv2d>() -> Needs {
    L::NEEDS
}

/// PyTorch's sizes of a weight: of one that is not of rank 4, all taps are in the third.
pub(super) const fn filters(one: usize, other: usize, [height, width]: [usize; 2], rank: usize) -> [usize; 4] {
    if rank == 4 { [one, other, height, width] } else { [one, other, height.saturating_mul(width), 1] }
}

/// PyTorch's default: uniform within `1/sqrt(fan_in)`, both weight and bias.
pub(super) const fn parameters(geometry: &Conv2dGeometry, rank: usize) -> [Parameter; 2] {
    let in_channels = geometry.in_channels / geometry.groups;
    let [kernel_height, kernel_width] = geometry.kernel_size;
    let initial = Initial::Uniform(bound(in_channels.saturating_mul(kernel_height).saturating_mul(kernel_width)));
    let weight = Parameter {
        name: "weight",
        sizes: filters(geometry.out_channels, in_channels, geometry.kernel_size, rank),
        rank,
        initial,
        order: Order::Conv2d { groups: geometry.groups },
    };
    [weight, Parameter::vector("bias", geometry.out_channels, initial)]
}

/// input `[n, ih, iw, ic]` -> output `[n, oh, ow, oc]`
pub fn forward<L: Conv2d>(pass: &mut Pass<'_>, parameters: &[f32], input: &[f32], output: &mut [f32]) {
    let (weight, bias) = parameters.split_at(L::GEOMETRY.weight_len());
    let epilogue = Epilogue { bias: L::BIAS.then_some(bias), fused: L::FUSED, ..Epilogue::default() };
    convolution::forward(&L::GEOMETRY, epilogue, input, weight, output, pass.scratch);
}

/// input `[n, ih, iw, ic]`, grad_output `[n, oh, ow, oc]` -> grad_input `[n, ih, iw, ic]`, grad_parameters
pub fn backward<L: Conv2d>(
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
        convolution::backward_weight(&L::GEOMETRY, input, grad_output, grad_weight, grad_bias, pass.scratch);
    }
    if let Some(GradInput { values, write }) = grad_input.filter(|_| pass.wants_input()) {
        convolution::backward_input(&L::GEOMETRY, weight, grad_output, values, write, pass.scratch);
    }
}

/// What a predictor has of it.
pub const fn prepared<L: Conv2d>() -> Prepared {
    Prepared { needs: packed::needs(&L::GEOMETRY), ..Prepared::of(packed::packed_len(&L::GEOMETRY)) }
}

/// Packs its weights, with normalizations behind it as part of them.
pub fn prepare<L: Conv2d>(made_for: MadeFor, parameters: &[f32], folds: &[Fold<'_>], prepared: &mut [f32]) {
    pack(&L::GEOMETRY, made_for, parameters, folds, prepared);
}

/// Its parameters with normalizations behind it as part of them.
pub(super) fn with_folds<'a>(geometry: &Conv2dGeometry, parameters: &'a [f32], folds: &[Fold<'_>]) -> Cow<'a, [f32]> {
    let (of_group, len) = (geometry.out_channels / geometry.groups, geometry.weight_len() / geometry.groups);
    let channel = |place: usize| place / len * of_group + place % of_group;
    folded(parameters, geometry.weight_len(), geometry.out_channels, folds, channel)
}

fn pack(geometry: &Conv2dGeometry, made_for: MadeFor, parameters: &[f32], folds: &[Fold<'_>], prepared: &mut [f32]) {
    let parameters = with_folds(geometry, parameters, folds);
    let (weight, bias) = weight_and_bias(&parameters, geometry.weight_len());
    let prepared = &mut prepared[..packed::packed_len(geometry)];
    packed::pack(geometry, made_for, weight, bias, prepared);
}

/// [`forward`] with weights that are prepared.
pub fn predict<L: Conv2d>(pass: &mut Pass<'_>, prepared: &[f32], input: &[f32], output: &mut [f32]) {
    run::<L>(pass, Write::Store, prepared, input, output);
}

/// [`predict`] where the result is added to what is in the output, and rectified together with it.
pub fn predict_add<L: Conv2d>(pass: &mut Pass<'_>, prepared: &[f32], input: &[f32], output: &mut [f32]) {
    run::<L>(pass, Write::Add, prepared, input, output);
}

fn run<L: Conv2d>(pass: &mut Pass<'_>, write: Write, prepared: &[f32], input: &[f32], output: &mut [f32]) {
    let epilogue = Epilogue { bias: None, write, fused: L::FUSED };
    let packing = const { &Packing::of(&L::GEOMETRY) };
    let prepared = &prepared[..const { packed::packed_len(&L::GEOMETRY) }];
    packing.forward(epilogue, input, prepared, output, pass.scratch);
}
