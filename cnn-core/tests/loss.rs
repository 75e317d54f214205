//! The fast losses agree with the reference, value and gradient, and survive what a bad step brings.

use cnn_core::loss::{LEAST_PROBABILITY, cross_entropy_rows, mse_rows, nll_of_probabilities_rows};
use cnn_core::reference;
use proptest::prelude::*;

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| f64::from(x)).collect()
}

/// Room for what is rounded to `f32`, three or four operations a value; sums are `f64`, and so is what is left of one
/// after taking off a probability.
fn assert_close(found: f64, expected: f64) {
    let bound = 4.0 * f64::from(f32::EPSILON) * expected.abs() + 1e-15;
    assert!((found - expected).abs() <= bound, "{found}, expected {expected}");
}

fn assert_all_close(found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (&found, &expected) in found.iter().zip(expected) {
        assert_close(f64::from(found), expected);
    }
}

/// Classes, rows, a row of values for each, and labels. The values are whole numbers of 32nds, so that their differences
/// are exact.
fn rows() -> impl Strategy<Value = (usize, Vec<f32>, Vec<usize>)> {
    (1..=12usize, 1..=5usize).prop_flat_map(|(classes, n)| {
        let values = prop::collection::vec((-640..640).prop_map(|x| x as f32 / 32.0), classes * n);
        (Just(classes), values, prop::collection::vec(0..classes, n))
    })
}

proptest! {
    #[test]
    fn cross_entropy_agrees_with_the_reference((classes, logits, labels) in rows()) {
        let mut grad = vec![f32::NAN; logits.len()];
        let loss = cross_entropy_rows(classes, &logits, &labels, labels.len(), &mut grad).unwrap();
        let expected = reference::loss::cross_entropy(classes, &wide(&logits), &labels);
        // An error of the exponentials is one of the loss, however small the loss is.
        prop_assert!((loss - expected).abs() <= f64::from(f32::EPSILON) * (1.0 + expected));
        assert_all_close(&grad, &reference::loss::cross_entropy_backward(classes, &wide(&logits), &labels));
    }

    #[test]
    fn nll_agrees_with_the_reference((classes, values, labels) in rows()) {
        let probabilities: Vec<f32> = values.iter().map(|x| (x - 20.0).exp()).collect();
        let mut grad = vec![f32::NAN; probabilities.len()];
        let loss = nll_of_probabilities_rows(classes, &probabilities, &labels, labels.len(), &mut grad).unwrap();
        assert_close(loss, reference::loss::nll_of_probabilities(classes, &wide(&probabilities), &labels));
        let expected = reference::loss::nll_of_probabilities_backward(classes, &wide(&probabilities), &labels);
        assert_all_close(&grad, &expected);
    }

    #[test]
    fn mse_agrees_with_the_reference((features, output, target) in (1..=20usize, 1..=5usize).prop_flat_map(
        |(features, n)| {
            let values = || prop::collection::vec(-2.0_f32..2.0, features * n);
            (Just(features), values(), values())
        }
    )) {
        let mut grad = vec![f32::NAN; output.len()];
        let loss = mse_rows(features, &output, &target, output.len() / features, &mut grad).unwrap();
        // What a small difference lost is measured by the values that were subtracted.
        prop_assert!((loss - reference::loss::mse(&wide(&output), &wide(&target))).abs() < 1e-6);
        for (found, expected) in grad.iter().zip(reference::loss::mse_backward(&wide(&output), &wide(&target))) {
            prop_assert!((f64::from(*found) - expected).abs() < 1e-6);
        }
    }

    #[test]
    fn the_shares_of_pieces_add_up((classes, logits, labels) in rows()) {
        let batch = labels.len();
        let mut whole = vec![0.0; logits.len()];
        let loss = cross_entropy_rows(classes, &logits, &labels, batch, &mut whole).unwrap();
        let mut pieces = vec![0.0; logits.len()];
        let mut sum = 0.0;
        for ((row, label), grad) in logits.chunks(classes).zip(labels.chunks(1)).zip(pieces.chunks_mut(classes)) {
            sum += cross_entropy_rows(classes, row, label, batch, grad).unwrap();
        }
        prop_assert!((loss - sum).abs() <= 1e-12 * (1.0 + loss));
        prop_assert_eq!(whole, pieces);
    }
}

#[test]
fn a_sure_network_keeps_the_digits_of_its_gradient() {
    let mut grad = [0.0; 2];
    // The loss is ln(1 + e^-30), about e^-30, while 1 - e^-30 is 1 in `f32`.
    let loss = cross_entropy_rows(2, &[30.0, 0.0], &[0], 1, &mut grad).unwrap();
    let tiny = (-30.0_f64).exp();
    assert!((loss - tiny).abs() < 1e-6 * tiny);
    assert!((f64::from(grad[0]) + tiny).abs() < 1e-6 * tiny);
    assert!((f64::from(grad[1]) - tiny).abs() < 1e-6 * tiny);
}

#[test]
fn huge_logits_stay_finite() {
    let mut grad = [0.0; 2];
    assert_eq!(cross_entropy_rows(2, &[3e38, 0.0], &[1], 1, &mut grad).unwrap(), f64::from(3e38_f32));
    assert_eq!(grad, [1.0, -1.0]);
}

#[test]
fn what_is_not_a_number_shows_in_the_loss() {
    let mut grad = [0.0; 4];
    for bad in [f32::NAN, f32::INFINITY] {
        assert!(cross_entropy_rows(2, &[0.0, 1.0, bad, 0.0], &[0, 1], 2, &mut grad).unwrap().is_nan());
    }
    assert!(cross_entropy_rows(2, &[f32::NEG_INFINITY; 4], &[0, 1], 2, &mut grad).unwrap().is_nan());
    assert!(nll_of_probabilities_rows(2, &[1.0, 0.0, f32::NAN, 0.0], &[0, 0], 2, &mut grad).unwrap().is_nan());
    assert!(mse_rows(2, &[1.0, f32::NAN, 0.0, 0.0], &[0.0; 4], 2, &mut grad).unwrap().is_nan());
}

#[test]
fn a_class_that_is_ruled_out_has_no_share() {
    let logits = [1.0, f32::NEG_INFINITY, 1.0];
    let mut grad = [0.0; 3];
    assert!((cross_entropy_rows(3, &logits, &[0], 1, &mut grad).unwrap() - 2_f64.ln()).abs() < 1e-7);
    assert_eq!(grad, [-0.5, 0.0, 0.5]);
    assert_eq!(cross_entropy_rows(3, &logits, &[1], 1, &mut grad).unwrap(), f64::INFINITY);
}

#[test]
fn an_impossible_truth_is_dear_but_finite() {
    let mut grad = [0.0; 2];
    let loss = nll_of_probabilities_rows(2, &[1.0, 0.0], &[1], 1, &mut grad).unwrap();
    assert!((loss - 87.336_544).abs() < 1e-6);
    assert_eq!(grad, [0.0, -1.0 / LEAST_PROBABILITY]);
    assert_eq!(f64::from(LEAST_PROBABILITY), reference::loss::LEAST_PROBABILITY);
}

/// Channels-last, the pixels of all samples are rows: logits `[n, h, w, classes]`, labels `[n, h, w]`.
#[test]
fn many_pixels_have_the_same_loss_on_any_number_of_threads() {
    let (classes, pixels) = (3, 2 * 131 * 97);
    let logits: Vec<f32> = (0..pixels * classes).map(|i| ((i * 7919) % 1009) as f32 / 252.0 - 2.0).collect();
    let labels: Vec<usize> = (0..pixels).map(|i| i * 5 % 7 % classes).collect();
    let results = [1, 2, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut grad = vec![f32::NAN; logits.len()];
        let loss = pool.install(|| cross_entropy_rows(classes, &logits, &labels, pixels, &mut grad).unwrap());
        (loss.to_bits(), grad)
    });
    assert!(results[0] == results[1] && results[0] == results[2]);
    let (loss, grad) = &results[0];
    assert_close(f64::from_bits(*loss), reference::loss::cross_entropy(classes, &wide(&logits), &labels));
    let expected = reference::loss::cross_entropy_backward(classes, &wide(&logits), &labels);
    assert_all_close(grad, &expected);
}
