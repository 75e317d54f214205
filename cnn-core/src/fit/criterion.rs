//! What makes a loss of the targets of a batch.

use crate::Error;
use crate::loss::{CrossEntropy, Labels, Logits, Loss, SoftCrossEntropy};
use crate::shape::{Flat, Shape};
use crate::tensor::Batch;

/// Makes the loss of outputs of shape `S` against the targets of a batch, of type `B`: what PyTorch calls a criterion.
///
/// ```
/// use cnn_core::fit::Criterion;
/// use cnn_core::loss::Huber;
/// use cnn_core::prelude::*;
///
/// /// Far targets count less.
/// struct Near;
///
/// impl Criterion<Flat<3>, Batch<Flat<3>>> for Near {
///     type Made<'a> = Huber<'a, Flat<3>>;
///
///     fn of<'a>(&'a self, targets: &'a Batch<Flat<3>>) -> Result<Huber<'a, Flat<3>>, Error> {
///         Ok(Huber::new(targets))
///     }
/// }
/// ```
pub trait Criterion<S: Shape, B> {
    /// The loss.
    type Made<'a>: Loss<S>
    where
        Self: 'a,
        B: 'a;

    /// Of these targets.
    ///
    /// # Errors
    ///
    /// What is wrong with the options of the loss.
    fn of<'a>(&'a self, targets: &'a B) -> Result<Self::Made<'a>, Error>;
}

/// Cross-entropy of classes, see [`CrossEntropy`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OfClasses<const CLASSES: usize> {
    weights: Option<[f32; CLASSES]>,
    label_smoothing: f32,
}

impl<const CLASSES: usize> Default for OfClasses<CLASSES> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const CLASSES: usize> OfClasses<CLASSES> {
    /// All classes count alike.
    pub fn new() -> Self {
        Self { weights: None, label_smoothing: 0.0 }
    }

    /// With a weight of each class.
    #[must_use]
    pub fn weights(self, weights: [f32; CLASSES]) -> Self {
        Self { weights: Some(weights), ..self }
    }

    /// With this share of each label given to all classes.
    #[must_use]
    pub fn label_smoothing(self, label_smoothing: f32) -> Self {
        Self { label_smoothing, ..self }
    }
}

impl<S: Logits<CLASSES>, const CLASSES: usize> Criterion<S, Labels<CLASSES>> for OfClasses<CLASSES> {
    type Made<'a> = CrossEntropy<'a, CLASSES>;

    fn of<'a>(&'a self, targets: &'a Labels<CLASSES>) -> Result<CrossEntropy<'a, CLASSES>, Error> {
        let loss = CrossEntropy::new(targets).label_smoothing(self.label_smoothing)?;
        match &self.weights {
            Some(weights) => loss.weights(weights),
            None => Ok(loss),
        }
    }
}

/// Cross-entropy of targets that are a share of each class, such as those of [mixup](crate::data::Mix), see [`SoftCrossEntropy`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfShares;

impl<const N: usize> Criterion<Flat<N>, Batch<Flat<N>>> for OfShares
where
    Flat<N>: Shape,
    for<'a> SoftCrossEntropy<'a, Flat<N>>: Loss<Flat<N>>,
{
    type Made<'a> = SoftCrossEntropy<'a, Flat<N>>;

    fn of<'a>(&'a self, targets: &'a Batch<Flat<N>>) -> Result<SoftCrossEntropy<'a, Flat<N>>, Error> {
        Ok(SoftCrossEntropy::new(targets))
    }
}

/// Squared error of values, see [`MeanSquaredError`](crate::loss::MeanSquaredError).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfValues;

impl<S: Shape> Criterion<S, Batch<S>> for OfValues {
    type Made<'a> = crate::loss::MeanSquaredError<'a, S>;

    fn of<'a>(&'a self, targets: &'a Batch<S>) -> Result<Self::Made<'a>, Error> {
        Ok(crate::loss::MeanSquaredError::new(targets))
    }
}
