//! The reference gives what PyTorch gives, also where sizes are odd, values tie and layouts differ.
//!
//! The constants are PyTorch 2.15.0's in `float64`; `fixtures/layers.py` makes them. Inputs are whole numbers by a
//! formula, and a result is told by its checksum in PyTorch's own order of values.

use cnn_core::kernel::geometry::{AdaptivePool2dGeometry, Conv2dGeometry, Padding, Pool2dGeometry};
use cnn_core::reference::flatten::{chw_to_hwc, hwc_to_chw};
use cnn_core::reference::{adaptive_avg_pool2d, avg_pool2d, conv2d, loss, max_pool2d, softmax};

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

/// PyTorch's `[out, in / groups, kh, kw]` from `[groups, kh, kw, in / groups, out / groups]`, or, `back`, the reverse.
fn permute_weight(geometry: &Conv2dGeometry, weight: &[f64], back: bool) -> Vec<f64> {
    let Conv2dGeometry { kernel_size: [kh, kw], groups, .. } = *geometry;
    let (ic, oc) = (geometry.in_channels / groups, geometry.out_channels / groups);
    let mut permuted = vec![0.0; weight.len()];
    for g in 0..groups {
        for o in 0..oc {
            for i in 0..ic {
                for k in 0..kh * kw {
                    let theirs = ((g * oc + o) * ic + i) * kh * kw + k;
                    let ours = ((g * kh * kw + k) * ic + i) * oc + o;
                    let (from, to) = if back { (theirs, ours) } else { (ours, theirs) };
                    permuted[to] = weight[from];
                }
            }
        }
    }
    permuted
}

#[test]
fn conv2d_is_pytorchs() {
    #[rustfmt::skip]
    let cases = [
        (2, 3, [6, 5], 4, [3, 3], [1, 1], [1, 1], [1, 1], 1, [7638.0, -18758.0, 38005.0, 71.0]),
        (1, 2, [7, 9], 3, [2, 3], [2, 1], [0, 2], [2, 3], 1, [2818.0, 5793.0, -322.0, -37.0]),
        (2, 4, [5, 5], 6, [3, 1], [1, 2], [1, 0], [1, 1], 2, [2595.0, -433.0, -7536.0, -111.0]),
        (1, 4, [8, 7], 4, [5, 5], [3, 2], [2, 2], [1, 1], 4, [3437.0, 5161.0, -6609.0, 173.0]),
        (3, 1, [4, 4], 1, [3, 3], [1, 1], [1, 1], [1, 1], 1, [488.0, 399.0, 13643.0, -54.0]),
    ];
    for case in cases {
        let (n, in_channels, in_size, out_channels, kernel_size, stride, padding, dilation, groups, expected) = case;
        let padding = Padding::symmetric(padding);
        let geometry =
            Conv2dGeometry { in_channels, in_size, out_channels, kernel_size, stride, padding, dilation, groups };
        let input = chw_to_hwc(in_channels, in_size, &values(1, n * geometry.in_len()));
        let weight = permute_weight(&geometry, &values(2, geometry.weight_len()), true);
        let output = conv2d::forward(&geometry, &input, &weight, Some(&values(3, out_channels)));
        let grad_output = chw_to_hwc(out_channels, geometry.out_size(), &values(9, output.len()));
        let gradients = conv2d::backward(&geometry, &input, &weight, &grad_output);
        let found = [
            checksum(&hwc_to_chw(out_channels, geometry.out_size(), &output)),
            checksum(&hwc_to_chw(in_channels, in_size, &gradients.input)),
            checksum(&permute_weight(&geometry, &gradients.weight, false)),
            checksum(&gradients.bias),
        ];
        assert_checksums(found, expected, &geometry);
    }
}

#[test]
fn max_pool2d_is_pytorchs() {
    for (n, channels, in_size, kernel_size, stride, padding, dilation, expected) in [
        (2, 3, [6, 6], [2, 2], [2, 2], [0, 0], [1, 1], [23.0, 995.0]),
        (1, 2, [7, 8], [3, 3], [2, 2], [1, 1], [1, 1], [4.0, -37.0]),
        (2, 1, [9, 6], [3, 2], [1, 3], [1, 1], [2, 1], [4.0, 27.0]),
    ] {
        let count_include_pad = true;
        let geometry = Pool2dGeometry { channels, in_size, kernel_size, stride, padding, dilation, count_include_pad };
        let coarse: Vec<f64> = values(1, n * geometry.in_len()).iter().map(|x| (x / 6.0).floor()).collect();
        let input = chw_to_hwc(channels, in_size, &coarse);
        let output = max_pool2d::forward(&geometry, &input);
        let grad_output = chw_to_hwc(channels, geometry.out_size(), &values(9, output.len()));
        let grad_input = max_pool2d::backward(&geometry, &input, &grad_output);
        let output = hwc_to_chw(channels, geometry.out_size(), &output);
        let grad_input = hwc_to_chw(channels, in_size, &grad_input);
        assert_checksums([checksum(&output), checksum(&grad_input)], expected, &geometry);
    }
}

#[test]
fn avg_pool2d_is_pytorchs() {
    for (n, channels, in_size, kernel_size, stride, padding, count_include_pad, expected) in [
        (2, 3, [6, 6], [2, 2], [2, 2], [0, 0], true, [154.5, 501.0]),
        (1, 2, [7, 8], [3, 3], [2, 2], [1, 1], true, [-13.555555555555557, -6.555555555555571]),
        (1, 2, [7, 8], [3, 4], [2, 1], [1, 2], false, [-10.208333333333332, -75.69444444444447]),
    ] {
        let dilation = [1, 1];
        let geometry = Pool2dGeometry { channels, in_size, kernel_size, stride, padding, dilation, count_include_pad };
        let input = chw_to_hwc(channels, in_size, &values(1, n * geometry.in_len()));
        let output = avg_pool2d::forward(&geometry, &input);
        let grad_output = chw_to_hwc(channels, geometry.out_size(), &values(9, output.len()));
        let grad_input = avg_pool2d::backward(&geometry, &grad_output);
        let output = hwc_to_chw(channels, geometry.out_size(), &output);
        let grad_input = hwc_to_chw(channels, in_size, &grad_input);
        assert_checksums([checksum(&output), checksum(&grad_input)], expected, &geometry);
    }
}

#[test]
fn adaptive_avg_pool2d_is_pytorchs() {
    for (n, channels, in_size, out_size, expected) in [
        (2, 3, [7, 7], [1, 1], [0.469387755102041, -0.6938775510204067]),
        (1, 2, [7, 5], [3, 2], [4.777777777777777, -10.555555555555564]),
        (1, 2, [2, 3], [4, 5], [-89.0, -152.0]),
    ] {
        let geometry = AdaptivePool2dGeometry { channels, in_size, out_size };
        let input = chw_to_hwc(channels, in_size, &values(1, n * geometry.in_len()));
        let output = adaptive_avg_pool2d::forward(&geometry, &input);
        let grad_output = chw_to_hwc(channels, out_size, &values(9, output.len()));
        let grad_input = adaptive_avg_pool2d::backward(&geometry, &grad_output);
        let output = hwc_to_chw(channels, out_size, &output);
        let grad_input = hwc_to_chw(channels, in_size, &grad_input);
        assert_checksums([checksum(&output), checksum(&grad_input)], expected, &geometry);
    }
}

#[test]
fn softmax_and_the_losses_are_pytorchs() {
    let logits: Vec<f64> = values(4, 20).iter().map(|x| x / 8.0).collect();
    let (labels, target) = ([0, 3, 1, 2, 1], values(5, 20));

    let output = softmax::forward(4, &logits);
    let grad_input = softmax::backward(4, &output, &values(9, 20));
    let found = [checksum(&output), checksum(&grad_input)];
    assert_checksums(found, [-1.5335249644567712, -45.53020549816273], &"softmax");

    let grad = loss::cross_entropy_backward(4, &logits, &labels);
    let found = [loss::cross_entropy(4, &logits, &labels), checksum(&grad)];
    assert_checksums(found, [2.0416088713649208, 4.093295007108646], &"cross_entropy");

    let found = [loss::mse(&logits, &target), checksum(&loss::mse_backward(&logits, &target))];
    assert_checksums(found, [45.8734375, 9.125], &"mse");
}
