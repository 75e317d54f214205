//! The reference gives what PyTorch gives, also where sizes are odd, values tie and layouts differ.
//!
//! The constants are PyTorch 2.15.0's in `float64`; `fixtures/layers.py` makes them. Inputs are whole numbers by a
//! formula, and a result is told by its checksum in PyTorch's own order of values.

mod activation;
mod convolution;
mod join;
mod loss;
mod normalization;
mod pooling;
mod resize;

use cnn_core::reference::flatten::{chw_to_hwc, hwc_to_chw};

fn values(seed: usize, len: usize) -> Vec<f64> {
    (0..len).map(|i| ((i * 7 + seed * 5) % 23) as f64 - 11.0).collect()
}

fn checksum(values: &[f64]) -> f64 {
    values.iter().enumerate().map(|(i, value)| value * (((i * 11) % 19) as f64 - 9.0)).sum()
}

fn assert_checksums<const N: usize>(found: [f64; N], expected: [f64; N], case: &dyn core::fmt::Debug) {
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-10, "{case:?}: {found}, expected {expected}");
    }
}

/// Runs a layer without parameters on PyTorch's values and compares the checksums of its output and of its gradient.
fn check_layer(
    channels: usize,
    [in_size, out_size]: [[usize; 2]; 2],
    input: &[f64],
    forward: impl Fn(&[f64]) -> Vec<f64>,
    backward: impl Fn(&[f64], &[f64]) -> Vec<f64>,
    expected: [f64; 2],
    case: &dyn core::fmt::Debug,
) {
    let input = chw_to_hwc(channels, in_size, input);
    let output = forward(&input);
    let grad_output = chw_to_hwc(channels, out_size, &values(9, output.len()));
    let grad_input = hwc_to_chw(channels, in_size, &backward(&input, &grad_output));
    let output = hwc_to_chw(channels, out_size, &output);
    assert_checksums([checksum(&output), checksum(&grad_input)], expected, case);
}
