//! Losses on flat slices: the value and the gradient in one pass, in a fixed order, without allocation.
//!
//! A row is a sample's output, or, of a map, what each pixel of each sample has in its channels.
//!
//! Each takes some rows of a batch and `batch`, the samples of the whole, and returns the rows' share of the mean: with
//! all rows that is the mean itself, and the shares of pieces add up to it. Sums are held in `f64`. The definitions are
//! in `reference::loss`. Lengths that do not go together, labels of no class and a batch of none are an error, and `grad` is
//! then as it was. Knows no tensors.

use core::array;

use crate::Error;
use crate::kernel::memory::chunk::join;

/// logits `[n, classes]`, labels `[n]` -> the share of the mean of `ln(sum exp(x)) - x[label]`, and grad
/// `[n, classes]`: `(softmax - onehot) / batch`
///
/// A NaN or an infinity among the logits makes the loss NaN, but for a negative infinity among others: that class has no
/// share, and as the label an infinite loss.
/// <https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html>
///
/// # Errors
///
/// [`Error::Rows`] when there are no classes or `batch` is zero, [`Error::Values`] of a slice of another length,
/// [`Error::Label`] for the first that is not below `classes`.
pub fn cross_entropy_rows(
    classes: usize,
    logits: &[f32],
    labels: &[usize],
    batch: usize,
    grad: &mut [f32],
) -> Result<f64, Error> {
    check_rows(classes, labels.len(), batch, [("logits", logits.len()), ("grad", grad.len())])?;
    check_labels(classes, labels)?;
    let sum = sum_in_pieces(classes, logits, (labels, 1), grad, &|logits, labels, grad| {
        cross_entropies(classes, logits, labels, batch, grad)
    });
    Ok(sum / batch as f64)
}

/// The sum over the rows of a piece.
fn cross_entropies(classes: usize, logits: &[f32], labels: &[usize], batch: usize, grad: &mut [f32]) -> f64 {
    let mut sum_of_losses = 0.0;
    let rows = logits.chunks_exact(classes).zip(grad.chunks_exact_mut(classes));
    for ((row, grad), &label) in rows.zip(labels) {
        let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        for (grad, x) in grad.iter_mut().zip(row) {
            *grad = (x - max).exp();
        }
        // Where the network is sure of the label, its loss and its gradient are as small as the other classes' share, and
        // would be all rounding as `ln(sum)` and `p - 1`.
        let total = |exponentials: &[f32]| exponentials.iter().copied().map(f64::from).sum::<f64>();
        let wanted = f64::from(grad[label]);
        let others = total(&grad[..label]) + total(&grad[label + 1..]);
        sum_of_losses += f64::from(max) - f64::from(row[label]) + (others + (wanted - 1.0)).ln_1p();
        let scale = 1.0 / ((wanted + others) * batch as f64);
        for grad in &mut *grad {
            *grad *= scale as f32;
        }
        grad[label] = (-others * scale) as f32;
    }
    sum_of_losses
}

/// Values that one thread takes at a time, at about 5 ns each: pixels are many, and the rows of a batch of labels are one
/// piece.
const PIECE: usize = 1 << 14;

/// The sum of the losses of some rows, with their labels or targets, which writes their gradient.
pub(super) type SumOfRows<'a, T> = dyn Fn(&[f32], &[T], &mut [f32]) -> f64 + Sync + 'a;

/// Adds up what `sum` makes of pieces of the rows, each with so many targets, in parallel. Where they are cut, and so the order
/// of the sum, depends on the number of rows alone.
pub(super) fn sum_in_pieces<T: Sync>(
    classes: usize,
    rows: &[f32],
    (targets, of_each): (&[T], usize),
    grad: &mut [f32],
    sum: &SumOfRows<'_, T>,
) -> f64 {
    let (piece, count) = (PIECE.div_ceil(classes), targets.len() / of_each);
    if count <= piece {
        return sum(rows, targets, grad);
    }
    let middle = (count / 2).next_multiple_of(piece);
    let (rows, more_rows) = rows.split_at(middle * classes);
    let (targets, more_targets) = targets.split_at(middle * of_each);
    let (grad, more_grad) = grad.split_at_mut(middle * classes);
    let (first, second) = join(
        || sum_in_pieces(classes, rows, (targets, of_each), grad, sum),
        || sum_in_pieces(classes, more_rows, (more_targets, of_each), more_grad, sum),
    );
    first + second
}

/// The least probability that [`nll_of_probabilities_rows`] tells from zero: a network that calls the truth impossible
/// has a loss of 87.3, not infinity.
pub const LEAST_PROBABILITY: f32 = f32::MIN_POSITIVE;

/// probabilities `[n, classes]`, labels `[n]` -> the share of the mean of `-ln(p[label])`, and grad `[n, classes]`:
/// `-1 / (batch p)` at the label, with `p` at least [`LEAST_PROBABILITY`]
///
/// The output of a softmax costs what its logits cost with [`cross_entropy_rows`], down to that bound, and behind the softmax's
/// backward pass the gradients are the same. NaN stays NaN. <https://pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html>
///
/// # Errors
///
/// As [`cross_entropy_rows`].
pub fn nll_of_probabilities_rows(
    classes: usize,
    probabilities: &[f32],
    labels: &[usize],
    batch: usize,
    grad: &mut [f32],
) -> Result<f64, Error> {
    let lengths = [("probabilities", probabilities.len()), ("grad", grad.len())];
    check_rows(classes, labels.len(), batch, lengths)?;
    check_labels(classes, labels)?;
    let mut sum_of_losses = 0.0;
    let rows = probabilities.chunks_exact(classes).zip(grad.chunks_exact_mut(classes));
    for ((row, grad), &label) in rows.zip(labels) {
        let p = least(row[label]);
        sum_of_losses -= p.ln();
        grad.fill(0.0);
        grad[label] = (-1.0 / (batch as f64 * p)) as f32;
    }
    Ok(sum_of_losses / batch as f64)
}

/// A probability, as at least [`LEAST_PROBABILITY`].
pub(super) fn least(p: f32) -> f64 {
    // Not `f32::max`, which would turn NaN into the bound.
    f64::from(if p < LEAST_PROBABILITY { LEAST_PROBABILITY } else { p })
}

/// Sums side by side in [`mse_rows`], which the compiler keeps in vector registers.
const LANES: usize = 8;

/// output, target `[n, features]` -> the share of the mean of `(output - target)^2` over all values, and grad
/// `[n, features]`: `2 (output - target) / (batch features)`
///
/// <https://pytorch.org/docs/stable/generated/torch.nn.MSELoss.html>
///
/// # Errors
///
/// [`Error::Rows`] when there are no features or `batch` is zero, [`Error::Values`] of a slice of another length, or when
/// the output is no whole number of rows.
pub fn mse_rows(features: usize, output: &[f32], target: &[f32], batch: usize, grad: &mut [f32]) -> Result<f64, Error> {
    let rows = output.len() / features.max(1);
    let lengths = [("output", output.len()), ("target", target.len()), ("grad", grad.len())];
    check_rows(features, rows, batch, lengths)?;
    let values = batch as f64 * features as f64;
    let scale = (2.0 / values) as f32;
    let mut sums = [0.0; LANES];
    let (outputs, last_output) = output.as_chunks::<LANES>();
    let (targets, last_target) = target.as_chunks::<LANES>();
    let (grads, last_grad) = grad.as_chunks_mut::<LANES>();
    for ((output, target), grad) in outputs.iter().zip(targets).zip(grads) {
        let differences: [f32; LANES] = array::from_fn(|lane| output[lane] - target[lane]);
        *grad = differences.map(|difference| scale * difference);
        for (sum, difference) in sums.iter_mut().zip(differences) {
            *sum += f64::from(difference) * f64::from(difference);
        }
    }
    let mut sum: f64 = sums.iter().sum();
    for ((output, target), grad) in last_output.iter().zip(last_target).zip(last_grad) {
        let difference = output - target;
        *grad = scale * difference;
        sum += f64::from(difference) * f64::from(difference);
    }
    Ok(sum / values)
}

/// Passes slices of so many rows.
fn check_rows<const N: usize>(
    width: usize,
    rows: usize,
    batch: usize,
    slices: [(&'static str, usize); N],
) -> Result<(), Error> {
    if width == 0 || batch == 0 {
        return Err(Error::Rows { width, batch });
    }
    let expected = rows.saturating_mul(width);
    match slices.into_iter().find(|&(_, found)| found != expected) {
        Some((name, found)) => Err(Error::Values { name, rows, width, found }),
        None => Ok(()),
    }
}

fn check_labels(classes: usize, labels: &[usize]) -> Result<(), Error> {
    match labels.iter().enumerate().find(|&(_, &label)| label >= classes) {
        Some((index, label)) => Err(Error::Label { index, label: label.to_string(), classes }),
        None => Ok(()),
    }
}
