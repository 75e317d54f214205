//! The backward passes of the reference are the derivatives of its forward passes, by central differences.
//!
//! Each layer is made a function to one number, the sum of its outputs times random `grad_output`, whose gradient
//! `backward` must be.

mod activation;
mod convolution;
mod dropout;
mod join;
mod loss;
mod normalization;
mod pooling;
mod resize;
mod softmax;

use cnn_core::reference::central_differences;
use proptest::prelude::*;

/// Central differences err by about `STEP^2` and by the rounding of `f64` over `STEP`; both lie well below.
const STEP: f64 = 1e-4;
const TOLERANCE: f64 = 1e-6;

fn check(name: &str, backward: &[f64], forward: impl FnMut(&[f64]) -> f64, point: &[f64]) {
    let expected = central_differences(forward, point, STEP);
    assert_eq!(backward.len(), expected.len(), "{name}");
    for (index, (found, expected)) in backward.iter().zip(expected).enumerate() {
        let bound = TOLERANCE * (1.0 + expected.abs());
        assert!((found - expected).abs() < bound, "{name}[{index}]: {found}, by differences {expected}");
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn values(len: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-2.0..2.0, len)
}

/// Values that are further apart, and further from zero, than a difference's step moves them.
fn distinct(len: usize) -> impl Strategy<Value = Vec<f64>> {
    let spread: Vec<f64> = (0..len).map(|i| 0.1 * (i as f64 - len as f64 / 2.0) + 0.025).collect();
    Just(spread).prop_shuffle()
}

/// Pairs of vertical and horizontal sizes.
fn pair(range: core::ops::RangeInclusive<usize>) -> impl Strategy<Value = [usize; 2]> {
    prop::array::uniform2(range)
}

/// A legal size of the map: what the window spans, and a little.
fn map_size(kernel: usize, dilation: usize, padding: usize, more: usize) -> usize {
    (dilation * (kernel - 1) + 1 + more).saturating_sub(padding).max(1)
}
