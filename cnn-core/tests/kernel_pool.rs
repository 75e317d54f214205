//! Pooling against the reference, with ties, padding and NaN.

mod kernel;

use cnn_core::kernel::geometry::{AdaptivePool2dGeometry, Layout, Pool2dGeometry};
use cnn_core::kernel::{Write, pool};
use cnn_core::reference::{adaptive_avg_pool2d, avg_pool2d, max_pool2d};
use kernel::{everywhere, whole_numbers, wide};
use proptest::prelude::*;

/// Few different values, so that ties are many.
fn ties(len: usize) -> Vec<f32> {
    whole_numbers(len, 7).into_iter().map(|value| (value / 3.0).round()).collect()
}

fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&value| value as f32).collect()
}

/// What a backward pass leaves behind, which is added to `1.0` or overwrites NaN.
fn gradient(len: usize, write: Write, backward: impl FnOnce(&mut [f32])) -> Vec<f32> {
    let mut gradient = vec![if write == Write::Add { 1.0 } else { f32::NAN }; len];
    backward(&mut gradient);
    if write == Write::Add {
        gradient.iter_mut().for_each(|value| *value -= 1.0);
    }
    gradient
}

fn check_max(batch: usize, geometry: &Pool2dGeometry, input: &[f32]) {
    let grad_output = whole_numbers(batch * geometry.out_len(), 8);
    let output = everywhere(true, || {
        let mut output = vec![f32::NAN; batch * geometry.out_len()];
        pool::max_forward(geometry, input, &mut output);
        output
    });
    assert_eq!(output, narrow(&max_pool2d::forward(geometry, &wide(input))));
    let expected = narrow(&max_pool2d::backward(geometry, &wide(input), &wide(&grad_output)));
    for write in [Write::Store, Write::Add] {
        let found = everywhere(true, || {
            gradient(input.len(), write, |grad| pool::max_backward(geometry, input, &output, &grad_output, grad, write))
        });
        assert_eq!(found, expected, "{write:?}");
    }
}

/// Rounded once in each quotient: windows of at most 30 cells, whole numbers up to 4.
fn assert_close(found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((f64::from(*found) - expected).abs() < 1e-5, "{index}: found {found}, expected {expected}");
    }
}

/// Legal by construction: the input is what the window spans and a little more, the padding at most half a kernel.
fn geometry() -> impl Strategy<Value = Pool2dGeometry> {
    let axis = (1..=4usize, 1..=4usize, 1..=2usize, 0..=2usize, 0..=6usize);
    (1..=35usize, axis.clone(), axis, any::<[bool; 2]>()).prop_map(|(channels, vertical, horizontal, modes)| {
        let [ceil_mode, count_include_pad] = modes;
        let axes = [vertical, horizontal].map(|(kernel, stride, dilation, padding, extra)| {
            let padding = padding.min(kernel / 2);
            let cells = ((kernel - 1) * dilation + 1 + extra).saturating_sub(2 * padding).max(1);
            (cells, kernel, stride, padding, dilation)
        });
        Pool2dGeometry {
            channels,
            in_size: axes.map(|axis| axis.0),
            kernel_size: axes.map(|axis| axis.1),
            stride: axes.map(|axis| axis.2),
            padding: axes.map(|axis| axis.3),
            dilation: axes.map(|axis| axis.4),
            ceil_mode,
            count_include_pad,
            layout: Layout::DENSE,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn max_agrees_with_the_reference(batch in 1..=3usize, geometry in geometry()) {
        check_max(batch, &geometry, &ties(batch * geometry.in_len()));
    }

    #[test]
    fn average_agrees_with_the_reference(batch in 1..=3usize, geometry in geometry()) {
        let in_size = [0, 1].map(|axis| geometry.in_size[axis].max(geometry.kernel_size[axis]));
        let geometry = Pool2dGeometry { dilation: [1, 1], in_size, ..geometry };
        let input = whole_numbers(batch * geometry.in_len(), 1);
        let grad_output = whole_numbers(batch * geometry.out_len(), 2);
        let output = everywhere(true, || {
            let mut output = vec![f32::NAN; grad_output.len()];
            pool::average_forward(&geometry, &input, &mut output);
            output
        });
        assert_close(&output, &avg_pool2d::forward(&geometry, &wide(&input)));
        for write in [Write::Store, Write::Add] {
            let found = everywhere(true, || {
                gradient(input.len(), write, |grad| pool::average_backward(&geometry, &grad_output, grad, write))
            });
            assert_close(&found, &avg_pool2d::backward(&geometry, &wide(&grad_output)));
        }
    }

    #[test]
    fn adaptive_average_agrees_with_the_reference(
        batch in 1..=3usize,
        channels in 1..=35usize,
        in_size in [1..=9usize, 1..=9usize],
        out_size in [1..=9usize, 1..=9usize],
    ) {
        let geometry = AdaptivePool2dGeometry { channels, in_size, out_size, layout: Layout::DENSE };
        let input = whole_numbers(batch * geometry.in_len(), 1);
        let grad_output = whole_numbers(batch * geometry.out_len(), 2);
        let output = everywhere(true, || {
            let mut output = vec![f32::NAN; grad_output.len()];
            pool::adaptive_average_forward(&geometry, &input, &mut output);
            output
        });
        assert_close(&output, &adaptive_avg_pool2d::forward(&geometry, &wide(&input)));
        for write in [Write::Store, Write::Add] {
            let found = everywhere(true, || {
                gradient(input.len(), write, |grad| pool::adaptive_average_backward(&geometry, &grad_output, grad, write))
            });
            assert_close(&found, &adaptive_avg_pool2d::backward(&geometry, &wide(&grad_output)));
        }
    }
}

const HALVING: Pool2dGeometry = Pool2dGeometry {
    channels: 6,
    in_size: [28, 28],
    kernel_size: [2, 2],
    stride: [2, 2],
    padding: [0, 0],
    dilation: [1, 1],
    ceil_mode: false,
    count_include_pad: true,
    layout: Layout::DENSE,
};

#[test]
fn enough_samples_for_several_tasks() {
    check_max(40, &HALVING, &ties(40 * HALVING.in_len()));
}

#[test]
fn padding_never_wins_over_negative_values() {
    let geometry = Pool2dGeometry { in_size: [3, 3], kernel_size: [3, 3], stride: [1, 1], padding: [1, 1], ..HALVING };
    check_max(1, &geometry, &vec![-5.0; geometry.in_len()]);
}

#[test]
fn of_minus_infinities_the_first_gets_the_gradient() {
    let geometry = Pool2dGeometry { in_size: [2, 2], ..HALVING };
    check_max(1, &geometry, &vec![f32::NEG_INFINITY; geometry.in_len()]);
}

#[test]
fn the_last_nan_wins() {
    let geometry = Pool2dGeometry { channels: 1, in_size: [2, 2], ..HALVING };
    for (input, winner) in [([1.0, f32::NAN, f32::INFINITY, 0.0], 1), ([f32::NAN, 1.0, f32::NAN, 2.0], 2)] {
        let results = everywhere(false, || {
            let (mut output, mut grad_input) = ([0.0], [f32::NAN; 4]);
            pool::max_forward(&geometry, &input, &mut output);
            pool::max_backward(&geometry, &input, &output, &[1.0], &mut grad_input, Write::Store);
            [&output[..], &grad_input[..]].concat()
        });
        assert!(results[0].is_nan());
        assert_eq!(results[1 + winner], 1.0);
        assert_eq!(results[1..].iter().sum::<f32>(), 1.0);
    }
}
