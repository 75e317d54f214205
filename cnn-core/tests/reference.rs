//! The backward passes of the reference are the derivatives of its forward passes, by central differences.
//!
//! Each layer is made a function to one number, the sum of its outputs times random `grad_output`, whose gradient
//! `backward` must be.

use cnn_core::kernel::geometry::{AdaptivePool2dGeometry, Conv2dGeometry, LinearGeometry, Padding, Pool2dGeometry};
use cnn_core::reference::{
    adaptive_avg_pool2d, avg_pool2d, central_differences, conv2d, dropout, linear, loss, max_pool2d, relu, softmax,
};
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

fn conv2d_geometry() -> impl Strategy<Value = Conv2dGeometry> {
    let channels = (1..=2usize, 1..=2usize, 1..=2usize);
    let padding = prop::array::uniform4(0..=2usize);
    (channels, pair(1..=3), pair(1..=3), padding, pair(1..=2), pair(0..=4)).prop_map(
        |((groups, group_ic, group_oc), kernel_size, stride, [top, bottom, left, right], dilation, more)| {
            Conv2dGeometry {
                in_channels: groups * group_ic,
                in_size: [
                    map_size(kernel_size[0], dilation[0], top + bottom, more[0]),
                    map_size(kernel_size[1], dilation[1], left + right, more[1]),
                ],
                out_channels: groups * group_oc,
                kernel_size,
                stride,
                padding: Padding { top, bottom, left, right },
                dilation,
                groups,
            }
        },
    )
}

fn pool2d_geometry(dilation: core::ops::RangeInclusive<usize>) -> impl Strategy<Value = Pool2dGeometry> {
    let kernel_and_padding = || (1..=4usize).prop_flat_map(|kernel| (Just(kernel), 0..=kernel / 2));
    (1..=3usize, [kernel_and_padding(), kernel_and_padding()], pair(1..=3), pair(dilation), pair(0..=4), any::<bool>())
        .prop_map(|(channels, [(kh, ph), (kw, pw)], stride, dilation, more, count_include_pad)| Pool2dGeometry {
            channels,
            in_size: [map_size(kh, dilation[0], 2 * ph, more[0]), map_size(kw, dilation[1], 2 * pw, more[1])],
            kernel_size: [kh, kw],
            stride,
            padding: [ph, pw],
            dilation,
            count_include_pad,
        })
}

proptest! {
    #[test]
    fn conv2d_backward_is_the_derivative_of_forward(
        (geometry, input, weight, bias, grad_output) in (conv2d_geometry(), 1..=2usize).prop_flat_map(|(geometry, n)| (
            Just(geometry),
            values(n * geometry.in_len()),
            values(geometry.weight_len()),
            values(geometry.out_channels),
            values(n * geometry.out_len()),
        ))
    ) {
        let gradients = conv2d::backward(&geometry, &input, &weight, &grad_output);
        let loss = |input: &[f64], weight: &[f64], bias: &[f64]| {
            dot(&conv2d::forward(&geometry, input, weight, Some(bias)), &grad_output)
        };
        check("input", &gradients.input, |input| loss(input, &weight, &bias), &input);
        check("weight", &gradients.weight, |weight| loss(&input, weight, &bias), &weight);
        check("bias", &gradients.bias, |bias| loss(&input, &weight, bias), &bias);
    }

    #[test]
    fn a_1x1_convolution_of_one_pixel_is_a_linear_layer(
        (geometry, input, weight, bias) in (1..=4usize, 1..=4usize, 1..=3usize).prop_flat_map(|(i, o, n)| (
            Just(LinearGeometry { in_features: i, out_features: o }), values(n * i), values(i * o), values(o),
        ))
    ) {
        let as_conv2d = Conv2dGeometry {
            in_channels: geometry.in_features,
            in_size: [1, 1],
            out_channels: geometry.out_features,
            kernel_size: [1, 1],
            stride: [1, 1],
            padding: Padding::symmetric([0, 0]),
            dilation: [1, 1],
            groups: 1,
        };
        let output = linear::forward(&geometry, &input, &weight, Some(&bias));
        prop_assert_eq!(&output, &conv2d::forward(&as_conv2d, &input, &weight, Some(&bias)));
        // Any values of the output's shape do as its gradient.
        let grad_output = output;
        let gradients = linear::backward(&geometry, &input, &weight, &grad_output);
        let expected = conv2d::backward(&as_conv2d, &input, &weight, &grad_output);
        prop_assert_eq!(gradients, expected);
    }

    #[test]
    fn max_pool2d_backward_is_the_derivative_of_forward(
        (geometry, input, grad_output) in (pool2d_geometry(1..=2), 1..=2usize).prop_flat_map(|(geometry, n)| (
            Just(geometry), distinct(n * geometry.in_len()), values(n * geometry.out_len()),
        ))
    ) {
        // A window on nothing but padding is minus infinity, which has no differences.
        prop_assume!(max_pool2d::forward(&geometry, &input).iter().all(|y| y.is_finite()));
        let grad_input = max_pool2d::backward(&geometry, &input, &grad_output);
        check("input", &grad_input, |input| dot(&max_pool2d::forward(&geometry, input), &grad_output), &input);
    }

    #[test]
    fn avg_pool2d_backward_is_the_derivative_of_forward(
        (geometry, input, grad_output) in (pool2d_geometry(1..=1), 1..=2usize).prop_flat_map(|(geometry, n)| (
            Just(geometry), values(n * geometry.in_len()), values(n * geometry.out_len()),
        ))
    ) {
        let grad_input = avg_pool2d::backward(&geometry, &grad_output);
        check("input", &grad_input, |input| dot(&avg_pool2d::forward(&geometry, input), &grad_output), &input);
    }

    #[test]
    fn an_average_is_a_convolution_with_equal_weights(
        (geometry, input) in (pool2d_geometry(1..=1), 1..=2usize).prop_flat_map(|(geometry, n)| (
            Just(geometry), values(n * geometry.in_len()),
        ))
    ) {
        let geometry = Pool2dGeometry { count_include_pad: true, ..geometry };
        let depthwise = Conv2dGeometry {
            in_channels: geometry.channels,
            in_size: geometry.in_size,
            out_channels: geometry.channels,
            kernel_size: geometry.kernel_size,
            stride: geometry.stride,
            padding: Padding::symmetric(geometry.padding),
            dilation: geometry.dilation,
            groups: geometry.channels,
        };
        let share = 1.0 / (geometry.kernel_size[0] * geometry.kernel_size[1]) as f64;
        let expected = conv2d::forward(&depthwise, &input, &vec![share; depthwise.weight_len()], None);
        prop_assert_eq!(avg_pool2d::forward(&geometry, &input), expected);
    }

    #[test]
    fn adaptive_avg_pool2d_backward_is_the_derivative_of_forward(
        (geometry, input, grad_output) in (1..=3usize, pair(1..=6), pair(1..=6), 1..=2usize).prop_flat_map(
            |(channels, in_size, out_size, n)| {
                let geometry = AdaptivePool2dGeometry { channels, in_size, out_size };
                (Just(geometry), values(n * geometry.in_len()), values(n * geometry.out_len()))
            },
        )
    ) {
        let grad_input = adaptive_avg_pool2d::backward(&geometry, &grad_output);
        check("input", &grad_input, |input| dot(&adaptive_avg_pool2d::forward(&geometry, input), &grad_output), &input);
    }

    #[test]
    fn relu_backward_is_the_derivative_of_forward(
        (input, grad_output) in (1..=20usize).prop_flat_map(|len| (distinct(len), values(len)))
    ) {
        let grad_input = relu::backward(&input, &grad_output);
        check("input", &grad_input, |input| dot(&relu::forward(input), &grad_output), &input);
        prop_assert_eq!(relu::backward(&relu::forward(&input), &grad_output), grad_input);
    }

    #[test]
    fn softmax_backward_is_the_derivative_of_forward(
        (channels, input, grad_output) in (1..=5usize, 1..=3usize).prop_flat_map(|(channels, rows)| (
            Just(channels), values(channels * rows), values(channels * rows),
        ))
    ) {
        let output = softmax::forward(channels, &input);
        for row in output.chunks_exact(channels) {
            prop_assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
        let grad_input = softmax::backward(channels, &output, &grad_output);
        check("input", &grad_input, |input| dot(&softmax::forward(channels, input), &grad_output), &input);
    }

    #[test]
    fn dropout_backward_is_the_derivative_of_forward(
        (p, input, keep, grad_output) in (0.0..0.9, 1..=20usize).prop_flat_map(|(p, len)| (
            Just(p), values(len), prop::collection::vec(any::<bool>(), len), values(len),
        ))
    ) {
        let grad_input = dropout::backward(p, &keep, &grad_output);
        check("input", &grad_input, |input| dot(&dropout::forward(p, input, &keep), &grad_output), &input);
    }

    #[test]
    fn loss_gradients_are_the_derivatives_of_the_losses(
        (classes, logits, labels, target) in (1..=5usize, 1..=4usize).prop_flat_map(|(classes, n)| (
            Just(classes), values(classes * n), prop::collection::vec(0..classes, n), values(classes * n),
        ))
    ) {
        let grad = loss::cross_entropy_backward(classes, &logits, &labels);
        check("cross_entropy", &grad, |logits| loss::cross_entropy(classes, logits, &labels), &logits);

        // Not too small: the differences err with the third derivative, 2/p^3.
        let probabilities: Vec<f64> = logits.iter().map(|x| 0.2 + 0.4 * x.abs()).collect();
        let grad = loss::nll_of_probabilities_backward(classes, &probabilities, &labels);
        check("nll", &grad, |p| loss::nll_of_probabilities(classes, p, &labels), &probabilities);

        let grad = loss::mse_backward(&logits, &target);
        check("mse", &grad, |output| loss::mse(output, &target), &logits);
    }
}
