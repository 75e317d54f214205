//! `linear`. <https://pytorch.org/docs/stable/generated/torch.nn.Linear.html>

use super::parameter::bound;
use super::prepare::{Fold, MadeFor, Prepared, folded, weight_and_bias};
use super::{GradInput, Initial, Operation, Order, Parameter, Pass};
use crate::kernel::convolution::Epilogue;
use crate::kernel::convolution::linear;
use crate::kernel::geometry::LinearGeometry;
use crate::kernel::memory::scratch::Needs;
use crate::kernel::pointwise::join;
use crate::kernel::rows::{Rows, RowsMut};
use crate::kernel::{FusedActivation, Write};

/// A linear layer of a network. Parameters are the weight `[in, out]`, then the bias `[out]` if there is one.
pub trait Linear {
    /// Its numbers.
    const GEOMETRY: LinearGeometry;
    /// Whether a bias is added.
    const BIAS: bool;
    /// The rectifier behind it, if that is part of it.
    const FUSED: FusedActivation;
    /// Channels of the map that was flattened into its input; all features if none was.
    const CHANNELS: usize;
    /// The layer as data.
    const OPERATION: Operation =
        Operation::Linear { geometry: Self::GEOMETRY, bias: Self::BIAS, channels: Self::CHANNELS };
    /// The scratch memory that its loops take.
    const NEEDS: Needs = Self::OPERATION.needs();
}

/// See [`conv2d::needs`](super::conv2d::needs).
pub const fn needs<L: Linear>() -> Needs {
    L::NEEDS
}

/// PyTorch's default: uniform within `1/sqrt(fan_in)`, both weight and bias.
pub(super) const fn parameters(geometry: &LinearGeometry, channels: usize) -> [Parameter; 2] {
    let LinearGeometry { in_features, out_features, .. } = *geometry;
    let initial = Initial::Uniform(bound(in_features));
    let sizes = [out_features, in_features, 1, 1];
    let weight = Parameter { name: "weight", sizes, rank: 2, initial, order: Order::Linear { channels } };
    [weight, Parameter::vector("bias", out_features, initial)]
}

/// input `[n, in]` -> output `[n, out]`
pub fn forward<L: Linear>(pass: &mut Pass<'_>, parameters: &[f32], input: &[f32], output: &mut [f32]) {
    let (weight, bias) = parameters.split_at(L::GEOMETRY.weight_len());
    let epilogue = Epilogue { bias: L::BIAS.then_some(bias), fused: L::FUSED, ..Epilogue::default() };
    linear::forward(&L::GEOMETRY, epilogue, input, weight, output, pass.scratch);
}

/// input `[n, in]`, grad_output `[n, out]` -> grad_input `[n, in]`, grad_parameters
pub fn backward<L: Linear>(
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
        join::rectify_backward(L::GEOMETRY.out_features, L::FUSED, output, grad_output);
    }
    let (weight, _) = parameters.split_at(L::GEOMETRY.weight_len());
    let (grad_weight, grad_bias) = grad_parameters.split_at_mut(L::GEOMETRY.weight_len());
    let grad_bias = L::BIAS.then_some(grad_bias);
    if pass.trains() {
        linear::backward_weight(&L::GEOMETRY, input, grad_output, grad_weight, grad_bias, pass.scratch);
    }
    if let Some(GradInput { values, write }) = grad_input.filter(|_| pass.wants_input()) {
        linear::backward_input(&L::GEOMETRY, weight, grad_output, values, write, pass.scratch);
    }
}

/// What a predictor has of it.
pub const fn prepared<L: Linear>() -> Prepared {
    Prepared::of(linear::packed_len(&L::GEOMETRY)).with_slots(L::NEEDS)
}

/// Packs its weights, with normalizations behind it as part of them.
pub fn prepare<L: Linear>(made_for: MadeFor, parameters: &[f32], folds: &[Fold<'_>], prepared: &mut [f32]) {
    pack(&L::GEOMETRY, made_for, parameters, folds, prepared);
}

fn pack(geometry: &LinearGeometry, made_for: MadeFor, parameters: &[f32], folds: &[Fold<'_>], prepared: &mut [f32]) {
    let channel = |place: usize| place % geometry.out_features;
    let parameters = folded(parameters, geometry.weight_len(), geometry.out_features, folds, channel);
    let (weight, bias) = weight_and_bias(&parameters, geometry.weight_len());
    let prepared = &mut prepared[..linear::packed_len(geometry)];
    linear::pack(geometry, made_for, weight, bias, prepared);
}

/// [`forward`] with weights that are prepared.
pub fn predict<L: Linear>(pass: &mut Pass<'_>, prepared: &[f32], input: &[f32], output: &mut [f32]) {
    run::<L>(pass, Write::Store, prepared, input, output);
}

/// [`predict`] where the result is added to what is in the output, and rectified together with it.
pub fn predict_add<L: Linear>(pass: &mut Pass<'_>, prepared: &[f32], input: &[f32], output: &mut [f32]) {
    run::<L>(pass, Write::Add, prepared, input, output);
}

fn run<L: Linear>(pass: &mut Pass<'_>, write: Write, prepared: &[f32], input: &[f32], output: &mut [f32]) {
    let epilogue = Epilogue { bias: None, write, fused: L::FUSED };
    let packing = const { &linear::packing(&L::GEOMETRY) };
    let prepared = &prepared[..const { linear::packed_len(&L::GEOMETRY) }];
    packing.forward(epilogue, input, prepared, output, pass.scratch);
}
