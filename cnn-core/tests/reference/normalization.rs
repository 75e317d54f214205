use cnn_core::kernel::geometry::{BatchNorm2dGeometry, Layout, LocalResponseNormGeometry};
use cnn_core::reference::batch_norm2d::{self, Affine, Statistics};
use cnn_core::reference::local_response_norm;
use proptest::prelude::*;

use super::{check, dot, values};

/// A geometry, rows, weight, bias, and a gradient. The differences err where a variance is small, so `eps` is not.
fn batch() -> impl Strategy<Value = (BatchNorm2dGeometry, Vec<f64>, Vec<f64>, Vec<f64>, Vec<f64>)> {
    (1..=3usize, 2..=6usize, 0.1..1.0, 0.0..1.0).prop_flat_map(|(channels, rows, eps, momentum)| {
        let geometry = BatchNorm2dGeometry { channels, eps, momentum: Some(momentum), layout: Layout::DENSE };
        let rows = channels * rows;
        (Just(geometry), values(rows), values(channels), values(channels), values(rows))
    })
}

proptest! {
    #[test]
    fn batch_norm2d_backward_in_training_is_the_derivative_through_the_statistics(
        (geometry, input, weight, bias, grad_output) in batch()
    ) {
        let statistics = batch_norm2d::statistics(&geometry, &input);
        let gradients = batch_norm2d::backward_training(&geometry, &input, &statistics, Some(&weight), &grad_output);
        let loss = |input: &[f64], weight: &[f64], bias: &[f64]| {
            let statistics = batch_norm2d::statistics(&geometry, input);
            dot(&batch_norm2d::forward(&geometry, input, &statistics, Some(Affine { weight, bias })), &grad_output)
        };
        check("input", &gradients.input, |input| loss(input, &weight, &bias), &input);
        check("weight", &gradients.weight, |weight| loss(&input, weight, &bias), &weight);
        check("bias", &gradients.bias, |bias| loss(&input, &weight, bias), &bias);
    }

    #[test]
    fn batch_norm2d_backward_in_evaluation_is_the_derivative_with_fixed_statistics(
        (geometry, input, weight, bias, grad_output) in batch()
    ) {
        let mut running = Statistics::start(&geometry);
        let rows = input.len() / geometry.channels;
        batch_norm2d::update_running(&geometry, &mut running, &batch_norm2d::statistics(&geometry, &input), rows, 1);
        let gradients = batch_norm2d::backward_evaluation(&geometry, &input, &running, Some(&weight), &grad_output);
        let loss = |input: &[f64], weight: &[f64], bias: &[f64]| {
            dot(&batch_norm2d::forward(&geometry, input, &running, Some(Affine { weight, bias })), &grad_output)
        };
        check("input", &gradients.input, |input| loss(input, &weight, &bias), &input);
        check("weight", &gradients.weight, |weight| loss(&input, weight, &bias), &weight);
        check("bias", &gradients.bias, |bias| loss(&input, &weight, bias), &bias);
    }

    #[test]
    fn no_affine_is_factors_of_one((geometry, input, _, _, grad_output) in batch()) {
        let (weight, bias) = (vec![1.0; geometry.channels], vec![0.0; geometry.channels]);
        let statistics = batch_norm2d::statistics(&geometry, &input);
        let affine = Some(Affine { weight: &weight, bias: &bias });
        let output = batch_norm2d::forward(&geometry, &input, &statistics, None);
        prop_assert_eq!(output, batch_norm2d::forward(&geometry, &input, &statistics, affine));
        for backward in [batch_norm2d::backward_training, batch_norm2d::backward_evaluation] {
            let gradients = backward(&geometry, &input, &statistics, None, &grad_output);
            prop_assert_eq!(gradients, backward(&geometry, &input, &statistics, Some(&weight), &grad_output));
        }
    }

    #[test]
    fn local_response_norm_backward_is_the_derivative_of_forward(
        (geometry, input, grad_output) in (1..=7usize, 1..=6usize, 0.1..2.0, 0.3..1.5, 0.5..2.0, 1..=3usize)
            .prop_flat_map(|(channels, size, alpha, beta, k, rows)| (
                Just(LocalResponseNormGeometry { channels, size, alpha, beta, k, layout: Layout::DENSE }),
                values(rows * channels),
                values(rows * channels),
            ))
    ) {
        let grad_input = local_response_norm::backward(&geometry, &input, &grad_output);
        check("input", &grad_input, |input| dot(&local_response_norm::forward(&geometry, input), &grad_output), &input);
    }
}
