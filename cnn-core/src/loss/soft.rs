//! Cross-entropy with probabilities as targets.

use super::weighted::{self, Options};
use super::{Divisors, Loss, Reduction, Scores};
use crate::Error;
use crate::shape::{Chw, Flat, Probabilities, Shape};
use crate::tensor::{Batch, Samples, SamplesMut};

/// Cross-entropy of logits `x` and probabilities `t` as targets, `-t ln(softmax(x))`: the mean over all samples of the batch, or
/// over all positions of their maps. It is what `CrossEntropyLoss` of PyTorch makes of such targets, which need not add up
/// to one. <https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html>
///
/// ```
/// use cnn_core::prelude::*;
/// use cnn_core::loss::{Loss, SoftCrossEntropy};
///
/// let (logits, targets) = (Batch::<Flat<2>>::zeros(1), Batch::from_nchw(&[0.25, 0.75])?);
/// let mut gradient = Batch::zeros(1);
/// let loss = SoftCrossEntropy::new(&targets).evaluate(logits.samples(), gradient.samples_mut())?;
/// assert!((loss - std::f32::consts::LN_2).abs() < 1e-6);
/// assert_eq!(gradient.values(), [0.25, -0.25]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SoftCrossEntropy<'a, S> {
    targets: &'a Batch<S>,
    weights: Option<&'a [f32]>,
    label_smoothing: f32,
    reduction: Reduction,
}

impl<'a, S: Shape> SoftCrossEntropy<'a, S> {
    /// Against these targets.
    pub fn new(targets: &'a Batch<S>) -> Self {
        Self { targets, weights: None, label_smoothing: 0.0, reduction: Reduction::Mean }
    }

    /// With a weight of each class. The mean is not divided by them, as PyTorch's is not.
    ///
    /// # Errors
    ///
    /// [`Error::Values`] when there are not as many as classes, [`Error::LossOption`] when one is negative or not finite.
    pub fn weights(self, weights: &'a [f32]) -> Result<Self, Error> {
        let (width, found) = (S::SIZES.channels(), weights.len());
        if found != width {
            return Err(Error::Values { name: "weights", rows: 1, width, found });
        }
        weighted::check(weights)?;
        Ok(Self { weights: Some(weights), ..self })
    }

    /// With this share of each target given to all classes.
    ///
    /// # Errors
    ///
    /// [`Error::LossOption`] when it is not between 0 and 1.
    pub fn label_smoothing(self, label_smoothing: f32) -> Result<Self, Error> {
        Ok(Self { label_smoothing: weighted::smoothing(label_smoothing)?, ..self })
    }

    /// What becomes of the losses of all rows.
    #[must_use]
    pub fn reduction(self, reduction: Reduction) -> Self {
        Self { reduction, ..self }
    }
}

/// Shapes of logits, whatever the classes.
#[doc(hidden)]
pub trait AnyLogits: Shape {}

impl<const N: usize> AnyLogits for Flat<N> where Self: Shape {}
impl<const C: usize, const H: usize, const W: usize> AnyLogits for Chw<C, H, W> where Self: Shape {}
// Never: so that the compiler says of it what it says of `Scores`.
impl<S: Shape> AnyLogits for Probabilities<S> where Probabilities<S>: Shape + Scores {}

impl<S: AnyLogits> Loss<S> for SoftCrossEntropy<'_, S> {
    fn divisors(&self, samples: usize) -> Divisors {
        self.reduction.divisors(samples)
    }

    fn evaluate(&self, output: Samples<'_, S>, mut grad_output: SamplesMut<'_, S>) -> Result<f32, Error> {
        let (samples, classes) = (output.len(), S::SIZES.channels());
        if samples == 0 {
            return Err(Error::EmptyBatch { shape: S::SIZES });
        }
        if self.targets.len() != samples {
            return Err(Error::Samples { expected: samples, found: self.targets.len() });
        }
        let (logits, grad) = (output.values(), grad_output.values());
        weighted::check_gradient(classes, logits, grad)?;
        let options =
            Options { weights: self.weights, label_smoothing: self.label_smoothing, reduction: self.reduction };
        Ok(weighted::soft_cross_entropy(classes, logits, self.targets.values(), &options, grad) as f32)
    }
}
