//! `group_norm`, and what is the same with other groups or without a mean: `layer_norm`, `instance_norm2d`, `rms_norm`.
//! <https://pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html>,
//! <https://pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html>,
//! <https://pytorch.org/docs/stable/generated/torch.nn.InstanceNorm2d.html>,
//! <https://pytorch.org/docs/stable/generated/torch.nn.RMSNorm.html>

use super::prepare::Prepared;
use super::{GradInput, Initial, Operation, Order, Parameter, Pass};
use crate::kernel::FusedActivation;
use crate::kernel::geometry::GroupNormGeometry;
use crate::kernel::memory::scratch::Needs;
use crate::kernel::normalization::group_norm::{self, Affine, AffineGradients};
use crate::kernel::pointwise::join;
use crate::kernel::rows::{Rows, RowsMut};

/// A normalization of each sample by itself, the same in training and in evaluation. Parameters are the weight, if there is one,
/// then the bias, if there is one: a number for each channel, or for each value of the map.
pub trait GroupNorm {
    /// Its numbers.
    const GEOMETRY: GroupNormGeometry;
    /// Whether normalized values get a trained factor.
    const WEIGHT: bool;
    /// Whether they get a trained summand, too.
    const BIAS: bool;
    /// The function behind it, if that is part of it.
    const FUSED: FusedActivation;
    /// The layer as data.
    const OPERATION: Operation =
        Operation::GroupNorm { geometry: Self::GEOMETRY, weight: Self::WEIGHT, bias: Self::BIAS };
    /// The scratch memory that its loops take.
    const NEEDS: Needs = Self::OPERATION.needs();
}

/// See [`conv2d::needs`](super::conv2d::needs).
pub const fn needs<L: GroupNorm>() -> Needs {
    L::NEEDS
}

pub(super) const fn parameters(geometry: &GroupNormGeometry) -> [Parameter; 2] {
    [tensor("weight", geometry, Initial::Constant(1.0)), tensor("bias", geometry, Initial::Constant(0.0))]
}

const fn tensor(name: &'static str, geometry: &GroupNormGeometry, initial: Initial) -> Parameter {
    let GroupNormGeometry { channels, size: [height, width], by_value, .. } = *geometry;
    if by_value {
        Parameter { name, sizes: [channels, height, width, 1], rank: 3, initial, order: Order::Map }
    } else {
        Parameter::vector(name, channels, initial)
    }
}

/// input `[n, .., c]` -> output `[n, .., c]`
pub fn forward<L: GroupNorm>(pass: &mut Pass<'_>, parameters: &[f32], input: &[f32], output: &mut [f32]) {
    let (weight, bias) = weight_and_bias::<L>(parameters);
    group_norm::forward(&L::GEOMETRY, Affine { weight, bias }, L::FUSED, input, output, pass.scratch);
}

/// input `[n, .., c]`, grad_output `[n, .., c]` -> grad_input `[n, .., c]`, grad_parameters
pub fn backward<L: GroupNorm>(
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
        join::rectify_backward(L::GEOMETRY.channels, L::FUSED, output, grad_output);
    }
    let (weight, _) = weight_and_bias::<L>(parameters);
    let (grad_weight, grad_bias) = grad_parameters.split_at_mut(if L::WEIGHT { L::GEOMETRY.weights() } else { 0 });
    let gradients = AffineGradients { weight: L::WEIGHT.then_some(grad_weight), bias: L::BIAS.then_some(grad_bias) };
    let grad_input = grad_input.map(|GradInput { values, write }| (values, write));
    group_norm::backward(&L::GEOMETRY, weight, input, grad_output, grad_input, gradients, pass.scratch);
}

fn weight_and_bias<L: GroupNorm>(parameters: &[f32]) -> (Option<&[f32]>, Option<&[f32]>) {
    let (weight, bias) = parameters.split_at(if L::WEIGHT { L::GEOMETRY.weights() } else { 0 });
    (L::WEIGHT.then_some(weight), L::BIAS.then_some(bias))
}

/// What a predictor has of it.
pub const fn prepared<L: GroupNorm>() -> Prepared {
    Prepared { needs: L::NEEDS, ..Prepared::of(L::OPERATION.parameter_count()) }
}

/// Copies its weight and bias; it has no state.
pub fn prepare<L: GroupNorm>(parameters: &[f32], _state: &[f32], prepared: &mut [f32]) {
    prepared[..parameters.len()].copy_from_slice(parameters);
}

/// [`forward`] with weights that are prepared.
pub fn predict<L: GroupNorm>(pass: &mut Pass<'_>, prepared: &[f32], input: &[f32], output: &mut [f32]) {
    forward::<L>(pass, &prepared[..L::OPERATION.parameter_count()], input, output);
}
