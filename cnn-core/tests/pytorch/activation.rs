use cnn_core::kernel::geometry::{Activation, GeluApproximation};
use cnn_core::reference::flatten::{chw_to_hwc, hwc_to_chw};
use cnn_core::reference::{activation, prelu};

use super::{assert_checksums, checksum, values};

#[test]
fn activations_are_pytorchs_also_on_their_kinks() {
    for (function, expected) in [
        (Activation::Relu, [40.0, 20.0]),
        (Activation::Relu6, [40.0, 20.0]),
        (Activation::LeakyRelu { negative_slope: 0.125 }, [53.5625, -13.25]),
        (Activation::Sigmoid, [8.797120176644773, -10.07048371834535]),
        (Activation::Tanh, [28.99298121186685, -8.501128813172262]),
        (Activation::Hardsigmoid, [10.166666666666666, -7.666666895151138]),
        (Activation::Hardswish, [37.16666666666667, 30.666666666666657]),
        (Activation::Silu, [39.050940528273685, 47.26040762204624]),
        (Activation::Gelu { approximate: GeluApproximation::None }, [39.16790002459341, 44.69415283936572]),
        (Activation::Gelu { approximate: GeluApproximation::Tanh }, [39.170937301035636, 44.69719958129856]),
    ] {
        let input: Vec<f64> = values(1, 60).iter().map(|x| x / 2.0).collect();
        let output = activation::forward(function, &input);
        let grad_input = activation::backward(function, &input, &values(9, 60));
        let [found, found_grad] = [checksum(&output), checksum(&grad_input)];
        assert_checksums([found], [expected[0]], &function);
        // PyTorch's slope of a hardsigmoid is 1/6 as an `f32`.
        let bound = if function == Activation::Hardsigmoid { 1e-6 } else { 1e-10 };
        assert!((found_grad - expected[1]).abs() < bound, "{function:?}: {found_grad}, expected {}", expected[1]);
    }
}

#[test]
fn prelu_is_pytorchs() {
    for (n, channels, size, parameters, expected) in
        [(2, 3, [2, 3], 1, [43.75, -24.5, 3510.0]), (2, 3, [2, 3], 3, [-91.0, -236.0, 2025.0])]
    {
        let input = chw_to_hwc(channels, size, &values(1, n * channels * size[0] * size[1]));
        let weight: Vec<f64> = values(2, parameters).iter().map(|x| x / 4.0).collect();
        let output = prelu::forward(channels, &input, &weight);
        let grad_output = chw_to_hwc(channels, size, &values(9, output.len()));
        let gradients = prelu::backward(channels, &input, &weight, &grad_output);
        let found = [
            checksum(&hwc_to_chw(channels, size, &output)),
            checksum(&hwc_to_chw(channels, size, &gradients.input)),
            checksum(&gradients.weight),
        ];
        assert_checksums(found, expected, &parameters);
    }
}
