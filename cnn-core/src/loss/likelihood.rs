//! Negative log-likelihood of labels: of probabilities, and of their logarithms.

use super::rows::{cross_entropy_rows, least};
use super::weighted::{self, Options};
use super::{Classes, Divisors, Labels, Logits, Loss, Reduction};
use crate::Error;
use crate::shape::{Probabilities, Shape};
use crate::tensor::{Samples, SamplesMut};

macro_rules! likelihood {
    ($(#[$about:meta])* $name:ident) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<'a, const CLASSES: usize> {
            labels: &'a Labels<CLASSES>,
            weights: Option<&'a [f32; CLASSES]>,
            reduction: Reduction,
        }

        impl<'a, const CLASSES: usize> $name<'a, CLASSES> {
            /// Of a batch with these labels.
            pub fn new(labels: &'a Labels<CLASSES>) -> Self {
                Self { labels, weights: None, reduction: Reduction::Mean }
            }

            /// With a weight of each class. The mean is then divided by the weights of the labels.
            ///
            /// # Errors
            ///
            /// [`Error::LossOption`] when one is negative or not finite.
            pub fn weights(self, weights: &'a [f32; CLASSES]) -> Result<Self, Error> {
                weighted::check(weights)?;
                Ok(Self { weights: Some(weights), ..self })
            }

            /// What becomes of the losses of all labels.
            #[must_use]
            pub fn reduction(self, reduction: Reduction) -> Self {
                Self { reduction, ..self }
            }

            fn options(&self) -> Options<'a> {
                Options {
                    weights: self.weights.map(<[f32; CLASSES]>::as_slice),
                    label_smoothing: 0.0,
                    reduction: self.reduction,
                }
            }

            /// Of an output of shape `S`, of which `term` is the loss of a label's value, and its slope.
            fn of_values<S: Shape>(
                &self,
                of_each: usize,
                term: fn(f32) -> [f64; 2],
                output: Samples<'_, S>,
                mut grad_output: SamplesMut<'_, S>,
            ) -> Result<f32, Error> {
                let labels = self.labels.of::<S>(output.len(), of_each)?;
                let (values, grad) = (output.values(), grad_output.values());
                weighted::check_gradient(CLASSES, values, grad)?;
                Ok(weighted::likelihood(CLASSES, values, labels, &self.options(), term, grad) as f32)
            }
        }
    };
}

likelihood! {
    /// Cross-entropy of probabilities, the output of a `softmax`, and labels: the mean of `-ln(p[label])` over the batch.
    ///
    /// A training step knows the logits that the probabilities are made of, and takes these: then it is
    /// [`CrossEntropy`](super::CrossEntropy) of the network without the `softmax`, as exact, whatever the logits.
    /// [`evaluate`](Loss::evaluate) has probabilities alone, and takes them as at least [`LEAST_PROBABILITY`](super::LEAST_PROBABILITY).
    NegativeLogLikelihood
}

likelihood! {
    /// `-x[label]` of logarithms of probabilities `x`, which `log_softmax` makes: the mean over all labels of the batch, one of
    /// each sample, or one of each position of each sample's map. It learns what [`CrossEntropy`](super::CrossEntropy) does
    /// without the `log_softmax`. <https://pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html>
    ///
    /// ```
    /// use cnn_core::prelude::*;
    /// use cnn_core::loss::NllLoss;
    ///
    /// network! {
    ///     /// The logarithm of a probability for each class at each pixel.
    ///     pub Pixels<1, 8, 8> { conv2d<3, 3>(padding = 1), log_softmax }
    /// }
    ///
    /// // Pixels of class 255 do not count, and those of class 1 count twice.
    /// let labels = Labels::<3>::ignoring(255, &[[0, 1, 2, 255]; 16].concat())?;
    /// let loss = NllLoss::new(&labels).weights(&[1.0, 2.0, 1.0])?;
    /// let (mut net, mut training) = (Pixels::new(0), Training::new(0));
    /// training.backward(Mode::Training, &mut net, &Batch::zeros(1), &loss)?;
    /// # Ok::<(), Error>(())
    /// ```
    NllLoss
}

impl<S: Classes<CLASSES>, const CLASSES: usize> Loss<Probabilities<S>> for NegativeLogLikelihood<'_, CLASSES> {
    fn divisors(&self, _samples: usize) -> Divisors {
        Divisors::one(self.options().weight_of(CLASSES, self.labels.as_slice()))
    }

    fn evaluate(
        &self,
        output: Samples<'_, Probabilities<S>>,
        grad_output: SamplesMut<'_, Probabilities<S>>,
    ) -> Result<f32, Error> {
        let term = |p: f32| {
            let p = least(p);
            [-p.ln(), -1.0 / p]
        };
        self.of_values(S::LABELS, term, output, grad_output)
    }

    fn takes_logits(&self) -> bool {
        true
    }

    fn evaluate_logits(
        &self,
        logits: Samples<'_, Probabilities<S>>,
        mut grad_logits: SamplesMut<'_, Probabilities<S>>,
    ) -> Result<f32, Error> {
        let labels = self.labels.of::<S>(logits.len(), S::LABELS)?;
        let (logits, grad) = (logits.values(), grad_logits.values());
        if self.weights.is_none() && !self.labels.ignores() && self.reduction == Reduction::Mean {
            return Ok(cross_entropy_rows(CLASSES, logits, labels, labels.len(), grad)? as f32);
        }
        weighted::check_gradient(CLASSES, logits, grad)?;
        Ok(weighted::cross_entropy(CLASSES, logits, labels, &self.options(), grad) as f32)
    }
}

impl<S: Logits<CLASSES>, const CLASSES: usize> Loss<S> for NllLoss<'_, CLASSES> {
    fn divisors(&self, _samples: usize) -> Divisors {
        Divisors::one(self.options().weight_of(CLASSES, self.labels.as_slice()))
    }

    fn evaluate(&self, output: Samples<'_, S>, grad_output: SamplesMut<'_, S>) -> Result<f32, Error> {
        self.of_values(S::LABELS, |x| [-f64::from(x), -1.0], output, grad_output)
    }
}
