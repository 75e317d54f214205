//! Activations against the reference, from the smallest numbers to infinity; softmax and the learned rectifier.

mod kernel;

use cnn_core::kernel::Write;
use cnn_core::kernel::geometry::{Activation, GeluApproximation};
use cnn_core::kernel::memory::scratch::Scratch;
use cnn_core::kernel::pointwise::activation::{self, Remembered};
use cnn_core::kernel::pointwise::softmax;
use cnn_core::kernel::pointwise::{prelu, scale};
use cnn_core::kernel::rows::{Rows, RowsMut};
use cnn_core::reference;
use kernel::activations::ALL;
use kernel::{Part, everywhere, fractions, whole_numbers, wide};
use proptest::prelude::*;

/// Numbers of every size and both signs, most of them where functions bend.
fn numbers() -> Vec<f32> {
    let mut numbers = vec![0.0, f32::INFINITY, f32::NAN, f32::MAX, f32::MIN_POSITIVE, 1e-45, 1e-40, 3.0, 6.0, 0.625];
    numbers.extend((-60..30).map(|power| 1.37 * 2f32.powi(power)));
    numbers.extend((0..40_000).map(|step| step as f32 * 0.00317));
    let negative: Vec<f32> = numbers.iter().map(|x| -x).collect();
    [numbers, negative].concat()
}

/// The largest error that is allowed relative to the result, and beside that.
///
/// A rounded argument of an exponential is a relative error of its size in the result, and arguments go up to 100.
fn tolerance(activation: Activation, slope: bool) -> [f64; 2] {
    match activation {
        // The smallest numbers have few digits, and may have a factor of 100 behind them.
        Activation::Silu if !slope => [4e-7, 2e-43],
        // The reference takes a difference from one in f64.
        Activation::Sigmoid | Activation::Tanh if slope => [1e-6, 1e-15],
        // Slopes go through zero: sums of terms up to one.
        Activation::Gelu { .. } | Activation::Silu if slope => [1e-6, 1.5e-7],
        // The inner polynomial rounds, and its result is an exponent. The reference itself cancels in f64.
        Activation::Gelu { approximate: GeluApproximation::Tanh } => [5e-6, 1e-14],
        Activation::Gelu { .. } => [1e-6, 1e-14],
        Activation::Hardswish => [3e-7, 1.5e-7],
        _ => [4e-7, 1e-44],
    }
}

fn assert_close(found: &[f32], expected: &[f64], [relative, absolute]: [f64; 2], what: &str) {
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let same = f64::from(*found) == f64::from(*expected as f32) || (found.is_nan() && expected.is_nan());
        let error = (f64::from(*found) - expected).abs();
        assert!(
            same || error <= relative * expected.abs() + absolute,
            "{what} of number {index}, {}: found {found:e}, expected {expected:e}, off by {:e}",
            numbers()[index],
            error / expected.abs()
        );
    }
}

#[test]
fn values_are_right_to_the_last_digits() {
    let input = numbers();
    for activation in ALL {
        let found = everywhere(false, || {
            let mut output = vec![0.0; input.len()];
            activation::forward(activation, 1, Rows::dense(&input), RowsMut::dense(&mut output));
            output
        });
        let expected = reference::activation::forward(activation, &wide(&input));
        assert_close(&found, &expected, tolerance(activation, false), &format!("{activation:?}"));
    }
}

#[test]
fn slopes_are_right_to_the_last_digits() {
    let input = numbers();
    let ones = vec![1.0; input.len()];
    for activation in ALL {
        let found = everywhere(false, || {
            let mut slopes = vec![0.0; input.len()];
            let (x, slopes_to) = (Remembered::Input(Rows::dense(&input)), RowsMut::dense(&mut slopes));
            activation::backward(activation, 1, x, Rows::dense(&ones), slopes_to, Write::Store);
            slopes
        });
        let expected = reference::activation::backward(activation, &wide(&input), &wide(&ones));
        assert_close(&found, &expected, tolerance(activation, true), &format!("slope of {activation:?}"));
    }
}

#[test]
fn in_place_and_in_parts_of_wider_maps() {
    let (rows, channels) = (301, 37);
    let (input, grad) = (fractions(rows * channels, 1), fractions(rows * channels, 2));
    for activation in ALL {
        for extra in [0, 5] {
            let stride = channels + extra;
            let x = Part::new(&input, channels, extra);
            let dy = Part::new(&grad, channels, extra);
            let found = everywhere(false, || {
                let [mut output, mut grad_input] =
                    [0.0, 1.0].map(|value| Part::new(&vec![value; input.len()], channels, extra));
                let (mut in_place, mut grad_in_place) = (x.clone(), dy.clone());
                let input = Rows::strided(x.slice(), stride);
                activation::forward(activation, channels, input, RowsMut::strided(output.slice_mut(), stride));
                activation::forward_in_place(activation, channels, RowsMut::strided(in_place.slice_mut(), stride));
                assert_eq!(output.values(), in_place.values());
                let remembered = Remembered::Input(input);
                let (dy, dx) = (Rows::strided(dy.slice(), stride), RowsMut::strided(grad_input.slice_mut(), stride));
                activation::backward(activation, channels, remembered, dy, dx, Write::Add);
                let dx = RowsMut::strided(grad_in_place.slice_mut(), stride);
                activation::backward_in_place(activation, channels, remembered, dx);
                let mut of_output = Part::new(&grad, channels, extra);
                if activation.slope_of_output() {
                    let remembered = Remembered::Output(Rows::strided(output.slice(), stride));
                    let dx = RowsMut::strided(of_output.slice_mut(), stride);
                    activation::backward_in_place(activation, channels, remembered, dx);
                } else {
                    of_output = grad_in_place.clone();
                }
                [output, grad_input, grad_in_place, of_output].map(|part| part.values()).concat()
            });
            let output = reference::activation::forward(activation, &wide(&input));
            let grad_input = reference::activation::backward(activation, &wide(&input), &wide(&grad));
            let added: Vec<f64> = grad_input.iter().map(|value| value + 1.0).collect();
            let expected = [output, added, grad_input.clone(), grad_input].concat();
            for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
                let error = (f64::from(*found) - expected).abs();
                assert!(error <= 2e-6 * expected.abs() + 2e-6, "{activation:?}, {index}: {found}, expected {expected}");
            }
        }
    }
}

#[test]
fn enough_values_for_several_tasks() {
    let input = fractions(500_000, 1);
    for activation in ALL {
        everywhere(false, || {
            let mut values = input.clone();
            activation::forward_in_place(activation, 1, RowsMut::dense(&mut values));
            values
        });
    }
}

fn written(values: &[f32], channels: usize, extra: usize, write: impl FnOnce(RowsMut<'_>)) -> Vec<f32> {
    let mut part = Part::new(values, channels, extra);
    write(RowsMut::strided(part.slice_mut(), channels + extra));
    part.values()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn softmax_and_its_logarithm(rows in 0..=80usize, channels in 1..=70usize, extra in 0..=5usize, size in 0..=4i32) {
        let scale = 3f32.powi(size);
        let input: Vec<f32> = fractions(rows * channels, 1).iter().map(|x| x * scale).collect();
        let grad = fractions(rows * channels, 2);
        let nothing = vec![f32::NAN; input.len()];
        let ones = vec![1.0; input.len()];
        let [x, dy] = [&input, &grad].map(|values| Part::new(values, channels, extra));
        let [x, dy] = [&x, &dy].map(|part| Rows::strided(part.slice(), channels + extra));
        type Backward = fn(usize, Rows<'_>, Rows<'_>, RowsMut<'_>, Write);
        let run = |forward: fn(usize, Rows<'_>, RowsMut<'_>), backward: Backward| {
            everywhere(false, || {
                let y = written(&nothing, channels, extra, |y| forward(channels, x, y));
                let stored = written(&nothing, channels, extra, |dx| backward(channels, Rows::dense(&y), dy, dx, Write::Store));
                let added = written(&ones, channels, extra, |dx| backward(channels, Rows::dense(&y), dy, dx, Write::Add));
                [y, stored, added].concat()
            })
        };
        let check = |found: Vec<f32>, output: Vec<f64>, gradient: Vec<f64>| {
            let added: Vec<f64> = gradient.iter().map(|value| value + 1.0).collect();
            for (found, expected) in found.iter().zip([output, gradient, added].concat()) {
                let error = (f64::from(*found) - expected).abs();
                // Rounded sums of up to 70 terms of size 3, and exponents up to 300.
                assert!(error <= 4e-5 + 1e-6 * expected.abs(), "found {found}, expected {expected}");
            }
        };
        let output = reference::softmax::forward(channels, &wide(&input));
        let gradient = reference::softmax::backward(channels, &output, &wide(&grad));
        check(run(softmax::forward, softmax::backward), output, gradient);
        let output = reference::log_softmax::forward(channels, &wide(&input));
        let gradient = reference::log_softmax::backward(channels, &output, &wide(&grad));
        check(run(softmax::log_forward, softmax::log_backward), output, gradient);
    }

    #[test]
    fn a_learned_rectifier(rows in 0..=700usize, channels in 1..=80usize, shared in any::<bool>(), extra in 0..=5usize) {
        let (input, grad) = (whole_numbers(rows * channels, 1), whole_numbers(rows * channels, 2));
        let weight = whole_numbers(if shared { 1 } else { channels }, 3);
        let [x, dy] = [&input, &grad].map(|values| Part::new(values, channels, extra));
        let [x, dy] = [&x, &dy].map(|part| Rows::strided(part.slice(), channels + extra));
        let found = everywhere(true, || {
            let nothing = vec![f32::NAN; input.len()];
            let output = written(&nothing, channels, extra, |y| prelu::forward(channels, &weight, x, y));
            let mut grad_weight = vec![f32::NAN; weight.len()];
            let mut scratch = Scratch::default();
            let mut backward = |before: f32, write: Write| {
                written(&vec![before; input.len()], channels, extra, |dx| {
                    let dx = Some((dx, write));
                    prelu::backward(channels, &weight, x, dy, dx, &mut grad_weight, &mut scratch);
                })
            };
            let (stored, added) = (backward(f32::NAN, Write::Store), backward(1.0, Write::Add));
            [output, stored, added, grad_weight].concat()
        });
        let output = reference::prelu::forward(channels, &wide(&input), &wide(&weight));
        let gradients = reference::prelu::backward(channels, &wide(&input), &wide(&weight), &wide(&grad));
        let added = gradients.input.iter().map(|value| value + 1.0).collect();
        prop_assert_eq!(wide(&found), [output, gradients.input, added, gradients.weight].concat());
    }

    #[test]
    fn a_factor_for_each_channel(rows in 0..=700usize, channels in 1..=80usize, extra in 0..=5usize) {
        let (input, grad) = (whole_numbers(rows * channels, 1), whole_numbers(rows * channels, 2));
        let weight = whole_numbers(channels, 3);
        let [x, dy] = [&input, &grad].map(|values| Part::new(values, channels, extra));
        let [x, dy] = [&x, &dy].map(|part| Rows::strided(part.slice(), channels + extra));
        let found = everywhere(true, || {
            let nothing = vec![f32::NAN; input.len()];
            let output = written(&nothing, channels, extra, |y| scale::forward(&weight, x, y, Write::Store));
            let in_place = written(&input, channels, extra, |y| scale::forward_in_place(&weight, y));
            let mut grad_weight = vec![f32::NAN; weight.len()];
            let mut scratch = Scratch::default();
            let mut backward = |before: f32, write: Write| {
                written(&vec![before; input.len()], channels, extra, |dx| {
                    scale::backward(&weight, x, dy, Some((dx, write)), &mut grad_weight, &mut scratch);
                })
            };
            let (stored, added) = (backward(f32::NAN, Write::Store), backward(1.0, Write::Add));
            [output, in_place, stored, added, grad_weight].concat()
        });
        let output = reference::layer_scale::forward(&wide(&input), &wide(&weight));
        let gradients = reference::layer_scale::backward(&wide(&input), &wide(&weight), &wide(&grad));
        let added = gradients.input.iter().map(|value| value + 1.0).collect();
        prop_assert_eq!(wide(&found), [output.clone(), output, gradients.input, added, gradients.weight].concat());
    }
}
