//! Losses of a network's output, with their gradients. Knows shapes and slices; knows no layers.

mod labels;
mod rows;

pub use labels::Labels;
pub use rows::{LEAST_PROBABILITY, cross_entropy_rows, mse_rows, nll_of_probabilities_rows};

use crate::Error;
use crate::shape::{Chw, Flat, Probabilities, Shape};
use crate::tensor::{Batch, Samples, SamplesMut};

/// A loss of outputs of shape `S`: its mean over a batch, and the gradient of that mean.
pub trait Loss<S: Shape>: Sync {
    /// output `[n, S]` -> the loss, grad_output `[n, S]`, which is written whole: it holds what an earlier batch left.
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

/// An output of one value for each of `CLASSES` classes: features, or the channels at each position of a map, as PyTorch's
/// losses take `[n, classes]` and `[n, classes, height, width]`.
#[diagnostic::on_unimplemented(
    message = "the labels are of {CLASSES} classes, and the network's output is `{Self}`",
    label = "not `Flat<{CLASSES}>`",
    note = "end the network in `linear<{CLASSES}>` (or, for a label at every position, in `conv2d<{CLASSES}, 1>`), or take \
            `Labels` of as many classes as it has outputs"
)]
pub trait Classes<const CLASSES: usize>: Shape {
    /// Labels of one sample: its positions, row by row.
    const LABELS: usize = Self::SIZES.positions();
}

impl<const CLASSES: usize> Classes<CLASSES> for Flat<CLASSES> {}
impl<const CLASSES: usize, const H: usize, const W: usize> Classes<CLASSES> for Chw<CLASSES, H, W> {}
impl<S: Classes<CLASSES>, const CLASSES: usize> Classes<CLASSES> for Probabilities<S> {}

/// Cross-entropy of logits and labels, the mean over all labels of the batch: one of each sample, or one of each position
/// of each sample's map.
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
        let labels = self.0.of::<S>(output.len(), S::LABELS)?;
        Ok(cross_entropy_rows(CLASSES, output.values(), labels, labels.len(), grad_output.values())? as f32)
    }
}

/// Cross-entropy of probabilities, the output of a `softmax`, and labels: the mean of `-ln(p[label])` over the batch, with
/// probabilities at least [`LEAST_PROBABILITY`]. [`CrossEntropy`] of a network without the `softmax` is the same, and
/// more exact where the network is sure.
#[derive(Clone, Copy, Debug)]
pub struct NegativeLogLikelihood<'a, const CLASSES: usize>(&'a Labels<CLASSES>);

impl<'a, const CLASSES: usize> NegativeLogLikelihood<'a, CLASSES> {
    /// Of a batch with these labels.
    pub fn new(labels: &'a Labels<CLASSES>) -> Self {
        Self(labels)
    }
}

impl<S: Classes<CLASSES>, const CLASSES: usize> Loss<Probabilities<S>> for NegativeLogLikelihood<'_, CLASSES> {
    fn evaluate(
        &self,
        output: Samples<'_, Probabilities<S>>,
        mut grad_output: SamplesMut<'_, Probabilities<S>>,
    ) -> Result<f32, Error> {
        let labels = self.0.of::<S>(output.len(), S::LABELS)?;
        Ok(nll_of_probabilities_rows(CLASSES, output.values(), labels, labels.len(), grad_output.values())? as f32)
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

impl<S: Shape> Loss<S> for MeanSquaredError<'_, S> {
    fn evaluate(&self, output: Samples<'_, S>, mut grad_output: SamplesMut<'_, S>) -> Result<f32, Error> {
        let (samples, targets) = (output.len(), self.0);
        if targets.len() != samples {
            return Err(Error::Samples { expected: samples, found: targets.len() });
        }
        if samples == 0 {
            return Err(Error::EmptyBatch { shape: S::SIZES });
        }
        Ok(mse_rows(S::LEN, output.values(), targets.values(), samples, grad_output.values())? as f32)
    }
}
