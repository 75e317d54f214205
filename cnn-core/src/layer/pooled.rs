//! A `conv2d` of a predictor with the `max_pool2d` behind it, where they are computed as one.

use super::Pass;
use super::conv2d::{self, Conv2d};
use super::max_pool2d::MaxPool2d;
use super::prepare::{Fold, MadeFor, Prepared, weight_and_bias};
use crate::kernel::convolution::pooled;

/// What a predictor has of both.
pub const fn prepared<C: Conv2d, P: MaxPool2d>() -> Prepared {
    assert!(pooled::applies(&C::GEOMETRY, &P::GEOMETRY), "the macro has the same rule");
    Prepared { needs: pooled::needs(&C::GEOMETRY), ..Prepared::of(pooled::packed_len(&C::GEOMETRY)) }
}

/// Keeps the convolution's weights, with normalizations between the two as part of them.
pub fn prepare<C: Conv2d>(_made_for: MadeFor, parameters: &[f32], folds: &[Fold<'_>], prepared: &mut [f32]) {
    let parameters = conv2d::with_folds(&C::GEOMETRY, parameters, folds);
    let (weight, bias) = weight_and_bias(&parameters, C::GEOMETRY.weight_len());
    pooled::pack(&C::GEOMETRY, weight, bias, &mut prepared[..pooled::packed_len(&C::GEOMETRY)]);
}

/// The convolution's input `[n, ih, iw, ic]` -> the pooling's output `[n, oh, ow, oc]`
pub fn predict<C: Conv2d, P: MaxPool2d>(pass: &mut Pass<'_>, prepared: &[f32], input: &[f32], output: &mut [f32]) {
    let prepared = &prepared[..const { pooled::packed_len(&C::GEOMETRY) }];
    pooled::forward(&C::GEOMETRY, &P::GEOMETRY, C::FUSED, input, prepared, output, pass.scratch);
}
