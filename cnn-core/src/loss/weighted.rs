//! Losses of classes with PyTorch's options: weights of classes, smoothed labels, labels that do not count.
//! <https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html>

use super::Reduction;
use super::rows::{SumOfRows, sum_in_pieces};
use crate::Error;

/// The options.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options<'a> {
    /// Of each class.
    pub(super) weights: Option<&'a [f32]>,
    /// What a label gives to all classes.
    pub(super) label_smoothing: f32,
    /// Of a mean, the sum is divided by the weights of the labels.
    pub(super) reduction: Reduction,
}

impl Options<'_> {
    fn weight(&self, class: usize) -> f64 {
        self.weights.map_or(1.0, |weights| f64::from(weights[class]))
    }

    /// What the mean over these labels is divided by; none of a sum.
    pub(super) fn weight_of(&self, classes: usize, labels: &[usize]) -> Option<f64> {
        (self.reduction == Reduction::Mean).then(|| self.divisor(classes, labels))
    }

    /// What the sum over these labels is divided by; where none counts, that is zero, and the mean is NaN, as in PyTorch.
    fn divisor(&self, classes: usize, labels: &[usize]) -> f64 {
        let counted = labels.iter().filter(|label| **label < classes);
        match self.reduction {
            Reduction::Mean => counted.map(|label| self.weight(*label)).sum(),
            Reduction::Sum => 1.0,
        }
    }
}

/// Passes weights of classes.
pub(super) fn check(weights: &[f32]) -> Result<(), Error> {
    match weights.iter().find(|weight| !(weight.is_finite() && **weight >= 0.0)) {
        Some(value) => {
            Err(Error::LossOption { option: "weight", value: *value, wants: "a finite number, zero or more" })
        }
        None => Ok(()),
    }
}

/// Passes a share that all classes are given.
pub(super) fn smoothing(label_smoothing: f32) -> Result<f32, Error> {
    if (0.0..=1.0).contains(&label_smoothing) {
        return Ok(label_smoothing);
    }
    Err(Error::LossOption { option: "label_smoothing", value: label_smoothing, wants: "a number from 0 to 1" })
}

/// Passes a gradient of as many values as there are of each class.
pub(super) fn check_gradient(classes: usize, output: &[f32], grad: &[f32]) -> Result<(), Error> {
    let (rows, found) = (output.len() / classes, grad.len());
    if found == output.len() { Ok(()) } else { Err(Error::Values { name: "grad", rows, width: classes, found }) }
}

/// values `[n, classes]`, labels `[n]`, of which one that is no class does not count -> the loss, grad `[n, classes]`. `term` is
/// the loss of a label's value, and its slope.
pub(super) fn likelihood(
    classes: usize,
    values: &[f32],
    labels: &[usize],
    options: &Options<'_>,
    term: fn(f32) -> [f64; 2],
    grad: &mut [f32],
) -> f64 {
    let divisor = options.divisor(classes, labels);
    let sum: &SumOfRows<'_, usize> = &|values, labels, grad| {
        grad.fill(0.0);
        let rows = values.chunks_exact(classes).zip(grad.chunks_exact_mut(classes));
        let counted = rows.zip(labels).filter(|(_, label)| **label < classes);
        counted
            .map(|((row, grad), &label)| {
                let (weight, [loss, slope]) = (options.weight(label), term(row[label]));
                grad[label] = (weight * slope / divisor) as f32;
                weight * loss
            })
            .sum()
    };
    sum_in_pieces(classes, values, (labels, 1), grad, sum) / divisor
}

/// logits, targets `[n, classes]` -> the loss, grad `[n, classes]`: `-weight target ln(softmax(x))`, the targets smoothed.
/// The mean is over the rows, whatever the weights.
pub(super) fn soft_cross_entropy(
    classes: usize,
    logits: &[f32],
    targets: &[f32],
    options: &Options<'_>,
    grad: &mut [f32],
) -> f64 {
    let divisor = match options.reduction {
        Reduction::Mean => (logits.len() / classes) as f64,
        Reduction::Sum => 1.0,
    };
    let smoothing = f64::from(options.label_smoothing);
    let wanted = |class: usize, target: f32| {
        options.weight(class) * (f64::from(target) * (1.0 - smoothing) + smoothing / classes as f64)
    };
    let sum: &SumOfRows<'_, f32> = &|logits, targets, grad| {
        let mut sum = 0.0;
        let rows = logits.chunks_exact(classes).zip(targets.chunks_exact(classes));
        for ((row, targets), grad) in rows.zip(grad.chunks_exact_mut(classes)) {
            let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let (mut total, mut all) = (0.0, 0.0);
            for (grad, x) in grad.iter_mut().zip(row) {
                *grad = (x - max).exp();
                total += f64::from(*grad);
            }
            // Of huge logits the difference comes first: beside one, a logarithm is nothing.
            let (log_total, max) = (total.ln(), f64::from(max));
            for (class, (x, target)) in row.iter().zip(targets).enumerate() {
                let wanted = wanted(class, *target);
                sum += wanted * (max - f64::from(*x) + log_total);
                all += wanted;
            }
            for (class, (grad, target)) in grad.iter_mut().zip(targets).enumerate() {
                *grad = ((all * f64::from(*grad) / total - wanted(class, *target)) / divisor) as f32;
            }
        }
        sum
    };
    sum_in_pieces(classes, logits, (targets, classes), grad, sum) / divisor
}

/// logits `[n, classes]`, labels `[n]`, of which one that is no class does not count -> the loss, grad `[n, classes]`.
pub(super) fn cross_entropy(
    classes: usize,
    logits: &[f32],
    labels: &[usize],
    options: &Options<'_>,
    grad: &mut [f32],
) -> f64 {
    let divisor = options.divisor(classes, labels);
    let sum: &SumOfRows<'_, usize> =
        &|logits, labels, grad| cross_entropies(classes, logits, labels, options, divisor, grad);
    sum_in_pieces(classes, logits, (labels, 1), grad, sum) / divisor
}

/// The sum over the rows of a piece.
fn cross_entropies(
    classes: usize,
    logits: &[f32],
    labels: &[usize],
    options: &Options<'_>,
    divisor: f64,
    grad: &mut [f32],
) -> f64 {
    let smoothing = f64::from(options.label_smoothing);
    let of_each = smoothing / classes as f64;
    let all: f64 = (0..classes).map(|class| options.weight(class)).sum();
    let mut sum = 0.0;
    let rows = logits.chunks_exact(classes).zip(grad.chunks_exact_mut(classes));
    for ((row, grad), &label) in rows.zip(labels) {
        if label >= classes {
            grad.fill(0.0);
            continue;
        }
        let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let exponentials = row.iter().map(|x| f64::from(x - max).exp());
        let total: f64 = exponentials.clone().sum();
        let (log_total, max) = (total.ln(), f64::from(max));
        let own = (1.0 - smoothing) * options.weight(label);
        sum += own * (max - f64::from(row[label]) + log_total);
        if smoothing > 0.0 {
            // A class of weight zero has no share, also where its logit is infinite.
            let shares = row.iter().enumerate().map(|(class, x)| (options.weight(class), f64::from(*x)));
            let shares = shares.filter(|(weight, _)| *weight > 0.0);
            sum += of_each * shares.map(|(weight, x)| weight * (max - x + log_total)).sum::<f64>();
        }
        for (class, (grad, exponential)) in grad.iter_mut().zip(exponentials).enumerate() {
            let wanted = if class == label { own } else { 0.0 } + of_each * options.weight(class);
            *grad = (((own + of_each * all) * exponential / total - wanted) / divisor) as f32;
        }
    }
    sum
}
