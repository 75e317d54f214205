use cnn_core::kernel::geometry::{Activation, GeluApproximation};
use cnn_core::reference::{activation, layer_scale, prelu, relu};
use proptest::prelude::*;

use super::{check, distinct, dot, values};

const SMOOTH: [Activation; 5] = [
    Activation::Sigmoid,
    Activation::Tanh,
    Activation::Silu,
    Activation::Gelu { approximate: GeluApproximation::None },
    Activation::Gelu { approximate: GeluApproximation::Tanh },
];

const KINKED: [Activation; 5] = [
    Activation::Relu,
    Activation::Relu6,
    Activation::LeakyRelu { negative_slope: 0.01 },
    Activation::Hardsigmoid,
    Activation::Hardswish,
];

proptest! {
    #[test]
    fn relu_backward_is_the_derivative_of_forward(
        (input, grad_output) in (1..=20usize).prop_flat_map(|len| (distinct(len), values(len)))
    ) {
        let grad_input = relu::backward(&input, &grad_output);
        check("input", &grad_input, |input| dot(&relu::forward(input), &grad_output), &input);
        prop_assert_eq!(relu::backward(&relu::forward(&input), &grad_output), grad_input);
    }

    #[test]
    fn smooth_activations_have_their_derivatives(
        which in 0..SMOOTH.len(),
        (input, grad_output) in (1..=20usize).prop_flat_map(|len| (
            prop::collection::vec(-8.0..8.0, len), values(len),
        ))
    ) {
        let function = SMOOTH[which];
        let grad_input = activation::backward(function, &input, &grad_output);
        let name = format!("{function:?}");
        check(&name, &grad_input, |input| dot(&activation::forward(function, input), &grad_output), &input);
    }

    #[test]
    fn activations_with_kinks_have_their_derivatives_beside_them(
        which in 0..KINKED.len(),
        // No whole number and not near one, where the kinks are.
        (input, grad_output) in (1..=20usize).prop_flat_map(|len| (
            prop::collection::vec((-8..8, 0.01..0.99).prop_map(|(whole, part)| f64::from(whole) + part), len), values(len),
        ))
    ) {
        let function = KINKED[which];
        let grad_input = activation::backward(function, &input, &grad_output);
        let name = format!("{function:?}");
        check(&name, &grad_input, |input| dot(&activation::forward(function, input), &grad_output), &input);
        if function == Activation::Relu {
            prop_assert_eq!(grad_input, relu::backward(&input, &grad_output));
        }
    }

    #[test]
    fn layer_scale_backward_is_the_derivative_of_forward(
        (weight, input, grad_output) in (1..=3usize, 1..=6usize).prop_flat_map(|(channels, rows)| (
            values(channels), values(rows * channels), values(rows * channels),
        ))
    ) {
        let gradients = layer_scale::backward(&input, &weight, &grad_output);
        let loss = |input: &[f64], weight: &[f64]| dot(&layer_scale::forward(input, weight), &grad_output);
        check("input", &gradients.input, |input| loss(input, &weight), &input);
        check("weight", &gradients.weight, |weight| loss(&input, weight), &weight);
    }

    #[test]
    fn prelu_backward_is_the_derivative_of_forward(
        (channels, input, weight, grad_output) in (1..=4usize, 1..=4usize, any::<bool>()).prop_flat_map(
            |(channels, rows, shared)| (
                Just(channels),
                distinct(channels * rows),
                values(if shared { 1 } else { channels }),
                values(channels * rows),
            )
        )
    ) {
        let gradients = prelu::backward(channels, &input, &weight, &grad_output);
        let loss = |input: &[f64], weight: &[f64]| dot(&prelu::forward(channels, input, weight), &grad_output);
        check("input", &gradients.input, |input| loss(input, &weight), &input);
        check("weight", &gradients.weight, |weight| loss(&input, weight), &weight);
    }
}
