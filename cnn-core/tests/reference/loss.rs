use cnn_core::reference::loss;
use proptest::prelude::*;

use super::{check, values};

proptest! {
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

        let weights: Vec<f64> = target[..classes].iter().map(|x| 0.1 + x.abs()).collect();
        // The first does not count where there are others.
        let mut some = labels.clone();
        if some.len() > 1 {
            some[0] = classes;
        }
        let grad = loss::nll_backward(classes, &logits, &some, &weights);
        check("nll of logarithms", &grad, |x| loss::nll(classes, x, &some, &weights), &logits);

        let grad = loss::soft_cross_entropy_backward(&logits, &target, &weights, 0.3);
        check("soft", &grad, |x| loss::soft_cross_entropy(x, &target, &weights, 0.3), &logits);

        let grad = loss::mse_backward(&logits, &target);
        check("mse", &grad, |output| loss::mse(output, &target), &logits);
    }
}
