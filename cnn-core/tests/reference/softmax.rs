use cnn_core::reference::{log_softmax, softmax};
use proptest::prelude::*;

use super::{check, dot, values};

proptest! {
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
    fn log_softmax_is_the_logarithm_of_softmax_and_has_its_derivative(
        (channels, input, grad_output) in (1..=5usize, 1..=3usize).prop_flat_map(|(channels, rows)| (
            Just(channels), values(channels * rows), values(channels * rows),
        ))
    ) {
        let output = log_softmax::forward(channels, &input);
        for (found, probability) in output.iter().zip(softmax::forward(channels, &input)) {
            prop_assert!((found - probability.ln()).abs() < 1e-12);
        }
        let grad_input = log_softmax::backward(channels, &output, &grad_output);
        check("input", &grad_input, |input| dot(&log_softmax::forward(channels, input), &grad_output), &input);
    }
}
