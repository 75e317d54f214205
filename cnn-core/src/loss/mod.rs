//! Losses of a network's output, with their gradients. Knows shapes and slices; knows no layers.

mod labels;

pub use labels::Labels;

use crate::Error;
use crate::shape::{Chw, Flat, Probabilities, Shape};
use crate::tensor::{Batch, Samples, SamplesMut};

/// A loss of outputs of shape `S`: its mean over a batch, and the gradient of that mean.
pub trait Loss<S: Shape> {
    /// output `[n, S]` -> the loss, grad_output `[n, S]`
    ///
    /// # Errors
    ///
    /// [`Error::Samples`] when the targets are not as many as the samples.
    fn evaluate(&self, output: Samples<'_, S>, grad_output: SamplesMut<'_, S>) -> Result<f32, Error>;
}

/// An output of scores that no `softmax` has turned into probabilities.
#[diagnostic::on_unimplemented(
    message = "cross-entropy takes logits, and this network ends in `softmax`",
    label = "probabilities, not logits",
    note = "drop the `softmax` layer (cross-entropy has it in itself; `argmax` is the same without), or use the loss on \
            probabilities, `NegativeLogLikelihood`"
)]
pub trait Logits: Shape {}

impl<const N: usize> Logits for Flat<N> {}
impl<const C: usize, const H: usize, const W: usize> Logits for Chw<C, H, W> {}

/// An output of one value for each of `CLASSES` classes.
#[diagnostic::on_unimplemented(
    message = "the labels are of {CLASSES} classes, and the network's output is `{Self}`",
    label = "not `Flat<{CLASSES}>`",
    note = "end the network in `linear<{CLASSES}>`, or take `Labels` of as many classes as it has outputs"
)]
pub trait Classes<const CLASSES: usize>: Shape {}

impl<const CLASSES: usize> Classes<CLASSES> for Flat<CLASSES> {}
impl<S: Classes<CLASSES>, const CLASSES: usize> Classes<CLASSES> for Probabilities<S> {}

/// Cross-entropy of logits and labels, the mean over the batch.
/// <https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html>
#[derive(Clone, Copy, Debug)]
pub struct CrossEntropy<'a, const CLASSES: usize>(&'a Labels<CLASSES>);

impl<'a, const CLASSES: usize> CrossEntropy<'a, CLASSES> {
    /// Of a batch with these labels.
    pub fn new(labels: &'a Labels<CLASSES>) -> Self {
        Self(labels)
    }
}

impl<S: Logits + Classes<CLASSES>, const CLASSES: usize> Loss<S> for CrossEntropy<'_, CLASSES> {
    fn evaluate(&self, output: Samples<'_, S>, mut grad_output: SamplesMut<'_, S>) -> Result<f32, Error> {
        self.0.check(output.len())?;
        let (n, mut loss) = (output.len() as f32, 0.0);
        let rows = output.values().chunks_exact(CLASSES).zip(grad_output.values().chunks_exact_mut(CLASSES));
        for ((logits, grad), &label) in rows.zip(self.0.as_slice()) {
            let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let sum: f32 = logits.iter().map(|z| (z - largest).exp()).sum();
            loss += f64::from(sum.ln() + largest - logits[label as usize]);
            for (grad, z) in grad.iter_mut().zip(logits) {
                *grad = (z - largest).exp() / sum / n;
            }
            grad[label as usize] -= 1.0 / n;
        }
        Ok((loss / f64::from(n)) as f32)
    }
}

/// Mean squared error against targets, over all values of the batch.
/// <https://pytorch.org/docs/stable/generated/torch.nn.MSELoss.html>
#[derive(Clone, Copy, Debug)]
pub struct MeanSquaredError<'a, S>(&'a Batch<S>);

impl<'a, S: Shape> MeanSquaredError<'a, S> {
    /// Against these targets.
    pub fn new(targets: &'a Batch<S>) -> Self {
        Self(targets)
    }
}
