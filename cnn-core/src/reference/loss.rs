//! The losses, each with its gradient as a twin. All are means, so their size does not depend on the batch.

use super::log_softmax::log_sum_exp;
use super::{samples, softmax};

/// logits `[n, classes]`, labels `[n]` -> the mean of `ln(sum exp(x)) - x[label]`
///
/// <https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html>
pub fn cross_entropy(classes: usize, logits: &[f64], labels: &[usize]) -> f64 {
    assert_eq!(samples(logits.len(), classes), labels.len());
    let sum: f64 = logits.chunks_exact(classes).zip(labels).map(|(row, &label)| log_sum_exp(row) - row[label]).sum();
    sum / labels.len() as f64
}

/// logits `[n, classes]`, labels `[n]` -> grad_logits `[n, classes]`: `(softmax - onehot) / n`
pub fn cross_entropy_backward(classes: usize, logits: &[f64], labels: &[usize]) -> Vec<f64> {
    assert_eq!(samples(logits.len(), classes), labels.len());
    let mut grad = softmax::forward(classes, logits);
    for (row, &label) in grad.chunks_exact_mut(classes).zip(labels) {
        row[label] -= 1.0;
        for value in row {
            *value /= labels.len() as f64;
        }
    }
    grad
}

/// The least probability that [`nll_of_probabilities`] tells from zero: a network that calls the truth impossible then
/// has a loss of 87.3, not infinity.
pub const LEAST_PROBABILITY: f64 = f32::MIN_POSITIVE as f64;

/// probabilities `[n, classes]`, labels `[n]` -> the mean of `-ln(p[label])`, with `p` at least [`LEAST_PROBABILITY`]
///
/// What [`cross_entropy`] is to logits, for the output of a softmax; up to the bound it is PyTorch's `nll_loss(p.log())`:
/// <https://pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html>
pub fn nll_of_probabilities(classes: usize, probabilities: &[f64], labels: &[usize]) -> f64 {
    assert_eq!(samples(probabilities.len(), classes), labels.len());
    let sum: f64 = probabilities.chunks_exact(classes).zip(labels).map(|(row, &label)| -bounded(row[label]).ln()).sum();
    sum / labels.len() as f64
}

/// probabilities `[n, classes]`, labels `[n]` -> grad_probabilities `[n, classes]`: `-1 / (n p)` at the label
///
/// Below [`LEAST_PROBABILITY`] it is the gradient there and not zero, so that it still points out of the corner.
pub fn nll_of_probabilities_backward(classes: usize, probabilities: &[f64], labels: &[usize]) -> Vec<f64> {
    assert_eq!(samples(probabilities.len(), classes), labels.len());
    let mut grad = vec![0.0; probabilities.len()];
    for (n, &label) in labels.iter().enumerate() {
        let i = n * classes + label;
        grad[i] = -1.0 / (labels.len() as f64 * bounded(probabilities[i]));
    }
    grad
}

/// `f64::max` would turn NaN into the bound.
fn bounded(p: f64) -> f64 {
    if p < LEAST_PROBABILITY { LEAST_PROBABILITY } else { p }
}

/// values `[n, classes]`, labels `[n]` of which others than classes do not count, weights `[classes]` -> the sum of
/// `-weight[label] x[label]`, divided by the weights of the labels
///
/// <https://pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html>
pub fn nll(classes: usize, values: &[f64], labels: &[usize], weights: &[f64]) -> f64 {
    assert_eq!(samples(values.len(), classes), labels.len());
    let counted = || values.chunks_exact(classes).zip(labels).filter(|(_, label)| **label < classes);
    let sum: f64 = counted().map(|(row, &label)| -weights[label] * row[label]).sum();
    sum / counted().map(|(_, &label)| weights[label]).sum::<f64>()
}

/// values `[n, classes]`, labels `[n]`, weights `[classes]` -> grad_values `[n, classes]`: the label's weight's share
pub fn nll_backward(classes: usize, values: &[f64], labels: &[usize], weights: &[f64]) -> Vec<f64> {
    assert_eq!(samples(values.len(), classes), labels.len());
    let all: f64 = labels.iter().filter(|label| **label < classes).map(|&label| weights[label]).sum();
    let mut grad = vec![0.0; values.len()];
    for (row, &label) in grad.chunks_exact_mut(classes).zip(labels) {
        if label < classes {
            row[label] = -weights[label] / all;
        }
    }
    grad
}

/// logits, targets `[n, classes]`, weights `[classes]` -> the mean of the rows' `-weight target ln(softmax(x))`, where each
/// target gives a share to all classes
///
/// <https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html>
pub fn soft_cross_entropy(logits: &[f64], targets: &[f64], weights: &[f64], label_smoothing: f64) -> f64 {
    let classes = weights.len();
    let rows = logits.chunks_exact(classes).zip(targets.chunks_exact(classes));
    let sum: f64 = rows
        .map(|(row, targets)| {
            let logarithms = row.iter().map(|x| x - log_sum_exp(row));
            let wanted = wanted(targets, weights, label_smoothing);
            -logarithms.zip(wanted).map(|(logarithm, wanted)| logarithm * wanted).sum::<f64>()
        })
        .sum();
    sum / samples(logits.len(), classes) as f64
}

/// logits, targets `[n, classes]`, weights `[classes]` -> grad_logits `[n, classes]`
pub fn soft_cross_entropy_backward(logits: &[f64], targets: &[f64], weights: &[f64], label_smoothing: f64) -> Vec<f64> {
    let classes = weights.len();
    let mut grad = softmax::forward(classes, logits);
    for (row, targets) in grad.chunks_exact_mut(classes).zip(targets.chunks_exact(classes)) {
        let all: f64 = wanted(targets, weights, label_smoothing).sum();
        for (grad, wanted) in row.iter_mut().zip(wanted(targets, weights, label_smoothing)) {
            *grad = (all * *grad - wanted) / (logits.len() / classes) as f64;
        }
    }
    grad
}

fn wanted(targets: &[f64], weights: &[f64], label_smoothing: f64) -> impl Iterator<Item = f64> {
    let of_each = label_smoothing / weights.len() as f64;
    targets.iter().zip(weights).map(move |(target, weight)| weight * (target * (1.0 - label_smoothing) + of_each))
}

/// output, target of any shape -> the mean of `(output - target)^2` over all values
///
/// <https://pytorch.org/docs/stable/generated/torch.nn.MSELoss.html>
pub fn mse(output: &[f64], target: &[f64]) -> f64 {
    assert_eq!(output.len(), target.len());
    output.iter().zip(target).map(|(y, t)| (y - t) * (y - t)).sum::<f64>() / output.len() as f64
}

/// output, target -> grad_output: `2 (output - target) / values`
pub fn mse_backward(output: &[f64], target: &[f64]) -> Vec<f64> {
    assert_eq!(output.len(), target.len());
    output.iter().zip(target).map(|(y, t)| 2.0 * (y - t) / output.len() as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_logits_cost_the_logarithm_of_the_classes() {
        assert!((cross_entropy(4, &[7.0; 8], &[0, 3]) - 4.0_f64.ln()).abs() < 1e-15);
        assert_eq!(
            cross_entropy_backward(4, &[7.0; 8], &[0, 3]),
            [-0.375, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125, -0.375]
        );
    }

    #[test]
    fn huge_logits_stay_finite() {
        assert_eq!(cross_entropy(2, &[1000.0, -1000.0], &[0]), 0.0);
        assert_eq!(cross_entropy(2, &[1000.0, -1000.0], &[1]), 2000.0);
    }

    #[test]
    fn probabilities_cost_what_their_logits_do() {
        let logits = [0.3, -1.2, 2.0, 0.0, 0.1, -0.4];
        let probabilities = softmax::forward(3, &logits);
        let difference = nll_of_probabilities(3, &probabilities, &[1, 2]) - cross_entropy(3, &logits, &[1, 2]);
        assert!(difference.abs() < 1e-15);
        // Through the softmax the gradients agree too.
        let grad = nll_of_probabilities_backward(3, &probabilities, &[1, 2]);
        let through = softmax::backward(3, &probabilities, &grad);
        for (found, expected) in through.iter().zip(cross_entropy_backward(3, &logits, &[1, 2])) {
            assert!((found - expected).abs() < 1e-15);
        }
    }

    #[test]
    fn an_impossible_truth_has_a_finite_loss_and_nan_stays() {
        assert!((nll_of_probabilities(2, &[1.0, 0.0], &[1]) - 87.336_544).abs() < 1e-6);
        assert!(nll_of_probabilities(2, &[1.0, f64::NAN], &[1]).is_nan());
    }

    #[test]
    fn mse_is_the_mean_over_all_values() {
        assert_eq!(mse(&[1.0, 2.0, 3.0, 4.0], &[1.0, 0.0, 3.0, 0.0]), 5.0);
        assert_eq!(mse_backward(&[1.0, 2.0, 3.0, 4.0], &[1.0, 0.0, 3.0, 0.0]), [0.0, 1.0, 0.0, 2.0]);
    }
}
