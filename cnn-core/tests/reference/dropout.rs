use cnn_core::reference::{drop_path, dropout, dropout2d};
use proptest::prelude::*;

use super::{check, dot, values};

proptest! {
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
    fn drop_path_backward_is_the_derivative_of_forward(
        (p, input, keep, grad_output) in (0.0..0.9, 1..=4usize, 1..=3usize).prop_flat_map(|(p, len, n)| (
            Just(p), values(n * len), prop::collection::vec(any::<bool>(), n), values(n * len),
        ))
    ) {
        let grad_input = drop_path::backward(p, &keep, &grad_output);
        check("input", &grad_input, |input| dot(&drop_path::forward(p, input, &keep), &grad_output), &input);
    }

    #[test]
    fn dropout2d_backward_is_the_derivative_of_forward(
        (p, channels, input, keep, grad_output) in (0.0..0.9, 1..=3usize, 1..=4usize, 1..=2usize).prop_flat_map(
            |(p, channels, positions, n)| (
                Just(p),
                Just(channels),
                values(n * positions * channels),
                prop::collection::vec(any::<bool>(), n * channels),
                values(n * positions * channels),
            )
        )
    ) {
        let grad_input = dropout2d::backward(p, channels, &keep, &grad_output);
        let forward = |input: &[f64]| dot(&dropout2d::forward(p, channels, input, &keep), &grad_output);
        check("input", &grad_input, forward, &input);
    }
}
