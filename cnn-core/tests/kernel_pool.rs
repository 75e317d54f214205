//! Pooling against the reference, with ties, padding and NaN.

mod kernel;

use cnn_core::kernel::Write;
use cnn_core::kernel::geometry::{AdaptivePool2dGeometry, Layout, Pool2dGeometry};
use cnn_core::kernel::pooling;
use cnn_core::reference::{adaptive_avg_pool2d, adaptive_max_pool2d, avg_pool2d, max_pool2d};
use kernel::{Part, everywhere, whole_numbers, wide};
use proptest::prelude::*;

/// Few different values, so that ties are many.
fn ties(len: usize) -> Vec<f32> {
    whole_numbers(len, 7).into_iter().map(|value| (value / 3.0).round()).collect()
}

fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&value| value as f32).collect()
}

/// Other channels beside those of the input and of the output.
const EXTRAS: [[usize; 2]; 3] = [[0, 0], [3, 5], [17, 0]];

/// What a forward pass with `extra` other channels leaves behind.
fn forward(len: usize, channels: usize, extra: usize, forward: impl FnOnce(&mut [f32])) -> Vec<f32> {
    let mut output = Part::new(&vec![f32::NAN; len], channels, extra);
    forward(output.slice_mut());
    output.values()
}

/// What a backward pass leaves behind, which is added to `1.0` or overwrites NaN.
fn gradient(len: usize, channels: usize, extra: usize, write: Write, backward: impl FnOnce(&mut [f32])) -> Vec<f32> {
    let before = vec![if write == Write::Add { 1.0 } else { f32::NAN }; len];
    let mut gradient = Part::new(&before, channels, extra);
    backward(gradient.slice_mut());
    let mut gradient = gradient.values();
    if write == Write::Add {
        gradient.iter_mut().for_each(|value| *value -= 1.0);
    }
    gradient
}

fn check_max(batch: usize, geometry: &Pool2dGeometry, input: &[f32]) {
    Max {
        geometry: *geometry,
        channels: geometry.channels,
        strided: Pool2dGeometry::strided,
        forward: pooling::max_forward,
        backward: pooling::max_backward,
        expected_forward: max_pool2d::forward,
        expected_backward: max_pool2d::backward,
    }
    .check(batch * geometry.out_len(), input);
}

/// geometry, input, output, grad_output -> grad_input
type MaxBackward<G> = fn(&G, &[f32], &[f32], &[f32], &mut [f32], Write);

/// A kind of maximum: its geometry and loops beside their definition.
struct Max<G> {
    geometry: G,
    channels: usize,
    strided: fn(G, usize, usize) -> G,
    forward: fn(&G, &[f32], &mut [f32]),
    backward: MaxBackward<G>,
    expected_forward: fn(&G, &[f64]) -> Vec<f64>,
    expected_backward: fn(&G, &[f64], &[f64]) -> Vec<f64>,
}

impl<G: Copy + Sync> Max<G> {
    fn check(&self, out_len: usize, input: &[f32]) {
        let Self { channels, .. } = *self;
        let grad_output = whole_numbers(out_len, 8);
        let expected_output = narrow(&(self.expected_forward)(&self.geometry, &wide(input)));
        let expected = narrow(&(self.expected_backward)(&self.geometry, &wide(input), &wide(&grad_output)));
        for [in_extra, out_extra] in EXTRAS {
            let geometry = &(self.strided)(self.geometry, channels + in_extra, channels + out_extra);
            let wide_input = Part::new(input, channels, in_extra);
            let output = everywhere(true, || {
                forward(out_len, channels, out_extra, |output| (self.forward)(geometry, wide_input.slice(), output))
            });
            assert_eq!(output, expected_output);
            let [output, grad_output] = [&output, &grad_output].map(|values| Part::new(values, channels, out_extra));
            for write in [Write::Store, Write::Add] {
                let found = everywhere(true, || {
                    gradient(input.len(), channels, in_extra, write, |grad| {
                        (self.backward)(geometry, wide_input.slice(), output.slice(), grad_output.slice(), grad, write);
                    })
                });
                assert_eq!(found, expected, "{write:?}");
            }
        }
    }
}

/// Rounded once in each quotient: windows of at most 30 cells, whole numbers up to 4.
fn assert_close(found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((f64::from(*found) - expected).abs() < 1e-5, "{index}: found {found}, expected {expected}");
    }
}

/// A kind of average: its geometry and loops beside their definition.
struct Average<G> {
    geometry: G,
    channels: usize,
    strided: fn(G, usize, usize) -> G,
    forward: fn(&G, &[f32], &mut [f32]),
    backward: fn(&G, &[f32], &mut [f32], Write),
    expected_forward: fn(&G, &[f64]) -> Vec<f64>,
    expected_backward: fn(&G, &[f64]) -> Vec<f64>,
}

impl<G: Copy + Sync> Average<G> {
    fn check(&self, batch: usize, [in_len, out_len]: [usize; 2]) {
        let Self { channels, .. } = *self;
        let (input, grad_output) = (whole_numbers(batch * in_len, 1), whole_numbers(batch * out_len, 2));
        for [in_extra, out_extra] in EXTRAS {
            let geometry = (self.strided)(self.geometry, channels + in_extra, channels + out_extra);
            let wide_input = Part::new(&input, channels, in_extra);
            let output = everywhere(true, || {
                forward(grad_output.len(), channels, out_extra, |output| {
                    (self.forward)(&geometry, wide_input.slice(), output);
                })
            });
            assert_close(&output, &(self.expected_forward)(&geometry, &wide(&input)));
            let expected = (self.expected_backward)(&geometry, &wide(&grad_output));
            let grad_output = Part::new(&grad_output, channels, out_extra);
            for write in [Write::Store, Write::Add] {
                let found = everywhere(true, || {
                    gradient(input.len(), channels, in_extra, write, |grad| {
                        (self.backward)(&geometry, grad_output.slice(), grad, write);
                    })
                });
                assert_close(&found, &expected);
            }
        }
    }
}

/// Legal by construction: the input is what the window spans and a little more, the padding at most half a kernel.
fn geometry() -> impl Strategy<Value = Pool2dGeometry> {
    let axis = (1..=4usize, 1..=4usize, 1..=2usize, 0..=2usize, 0..=6usize);
    let divisor = proptest::option::weighted(0.3, 1..=9usize);
    (1..=35usize, axis.clone(), axis, any::<[bool; 2]>(), divisor).prop_map(
        |(channels, vertical, horizontal, modes, divisor_override)| {
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
                divisor_override,
                layout: Layout::DENSE,
            }
        },
    )
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
        average(geometry).check(batch, [geometry.in_len(), geometry.out_len()]);
    }

    #[test]
    fn adaptive_max_agrees_with_the_reference(
        batch in 1..=3usize,
        channels in 1..=35usize,
        in_size in [1..=9usize, 1..=9usize],
        out_size in [1..=9usize, 1..=9usize],
    ) {
        let geometry = AdaptivePool2dGeometry { channels, in_size, out_size, layout: Layout::DENSE };
        Max {
            geometry,
            channels,
            strided: AdaptivePool2dGeometry::strided,
            forward: pooling::adaptive_max_forward,
            backward: pooling::adaptive_max_backward,
            expected_forward: adaptive_max_pool2d::forward,
            expected_backward: adaptive_max_pool2d::backward,
        }
        .check(batch * geometry.out_len(), &ties(batch * geometry.in_len()));
    }

    #[test]
    fn adaptive_average_agrees_with_the_reference(
        batch in 1..=3usize,
        channels in 1..=35usize,
        in_size in [1..=9usize, 1..=9usize],
        out_size in [1..=9usize, 1..=9usize],
    ) {
        let geometry = AdaptivePool2dGeometry { channels, in_size, out_size, layout: Layout::DENSE };
        Average {
            geometry,
            channels,
            strided: AdaptivePool2dGeometry::strided,
            forward: pooling::adaptive_average_forward,
            backward: pooling::adaptive_average_backward,
            expected_forward: adaptive_avg_pool2d::forward,
            expected_backward: adaptive_avg_pool2d::backward,
        }
        .check(batch, [geometry.in_len(), geometry.out_len()]);
    }
}

fn average(geometry: Pool2dGeometry) -> Average<Pool2dGeometry> {
    Average {
        geometry,
        channels: geometry.channels,
        strided: Pool2dGeometry::strided,
        forward: pooling::average_forward,
        backward: pooling::average_backward,
        expected_forward: avg_pool2d::forward,
        expected_backward: avg_pool2d::backward,
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
    divisor_override: None,
    layout: Layout::DENSE,
};

#[test]
fn enough_samples_for_several_tasks() {
    check_max(40, &HALVING, &ties(40 * HALVING.in_len()));
}

#[test]
fn enough_channels_of_one_sample_for_several_tasks() {
    let (kernel_size, stride, padding) = ([3, 3], [2, 2], [1, 1]);
    let geometry = Pool2dGeometry { channels: 100, in_size: [30, 30], kernel_size, stride, padding, ..HALVING };
    check_max(1, &geometry, &ties(geometry.in_len()));
    average(geometry).check(1, [geometry.in_len(), geometry.out_len()]);
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
            pooling::max_forward(&geometry, &input, &mut output);
            pooling::max_backward(&geometry, &input, &output, &[1.0], &mut grad_input, Write::Store);
            [&output[..], &grad_input[..]].concat()
        });
        assert!(results[0].is_nan());
        assert_eq!(results[1 + winner], 1.0);
        assert_eq!(results[1..].iter().sum::<f32>(), 1.0);
    }
}
