//! Losses of a network's output, with their gradients. Knows shapes and slices; knows no layers.

mod element;
mod labels;
mod likelihood;
#[doc(hidden)]
pub mod output;
mod rows;
mod soft;
mod weighted;

pub use element::{BinaryCrossEntropyWithLogits, Huber, KlDivergence, L1, SmoothL1};
pub use labels::Labels;
pub use likelihood::{NegativeLogLikelihood, NllLoss};
pub use rows::{LEAST_PROBABILITY, cross_entropy_rows, mse_rows, nll_of_probabilities_rows};
pub use soft::SoftCrossEntropy;

use crate::Error;
use crate::kernel::memory::buffer::Buffer;
use crate::kernel::memory::scratch::Scratch;
use crate::shape::{Chw, Flat, Probabilities, Shape};
use crate::tensor::{Batch, Samples, SamplesMut};
use weighted::Options;

/// A loss of outputs of shape `S`: its mean over a batch, and the gradient of that mean.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not known to be a loss of outputs `{S}`",
    label = "takes another output",
    note = "`CrossEntropy` takes scores, `NegativeLogLikelihood` the `Probabilities` that a last `softmax` makes, and \
            `MeanSquaredError` targets of the shape of the network's output",
    note = "in a function that is generic over networks `N`, say what they make: `N: Network<Output = Flat<10>>`, or \
            `Probabilities<Flat<10>>` of those that end in `softmax`"
)]
pub trait Loss<S: Shape>: Sync {
    /// output `[n, S]` -> the loss, grad_output `[n, S]`, which is written whole: it holds what an earlier batch left.
    ///
    /// # Errors
    ///
    /// What is wrong with the loss's own data, such as [`Error::Samples`] when the targets are not as many as the samples.
    /// Those of this room: [`Error::Labels`] of another number of labels, [`Error::EmptyBatch`] of no samples,
    /// [`Error::Values`] when the two batches are not equally long. `grad_output` is then as it was.
    fn evaluate(&self, output: Samples<'_, S>, grad_output: SamplesMut<'_, S>) -> Result<f32, Error>;

    /// [`evaluate`](Self::evaluate) in memory that is kept from one batch to the next.
    ///
    /// # Errors
    ///
    /// As [`evaluate`](Self::evaluate).
    #[doc(hidden)]
    fn evaluate_in(
        &self,
        output: Samples<'_, S>,
        grad_output: SamplesMut<'_, S>,
        _memory: &mut LossMemory,
    ) -> Result<f32, Error> {
        self.evaluate(output, grad_output)
    }

    /// What its mean over a batch is divided by, as far as the whole of several batches is concerned: the samples, or the weights
    /// of the labels that count. None of a sum. It says nothing of the output, so that it is known before that. Of a loss that is
    /// the sum of several, one for each.
    fn divisors(&self, samples: usize) -> Divisors {
        Divisors::one(Some(samples as f64))
    }

    /// Whether a training step of a network that ends in `softmax` is to call [`evaluate_logits`](Self::evaluate_logits).
    fn takes_logits(&self) -> bool {
        false
    }

    /// The same of a network that ends in `softmax`, from what that takes: logits `[n, S]` -> the loss, grad_logits `[n, S]`,
    /// which is written whole. A loss with the logarithm of a probability in it is exact so, however sure the network is:
    /// of a probability that is zero in `f32` nothing is left to learn from.
    ///
    /// # Errors
    ///
    /// As [`evaluate`](Self::evaluate).
    fn evaluate_logits(&self, logits: Samples<'_, S>, grad_logits: SamplesMut<'_, S>) -> Result<f32, Error> {
        self.evaluate(logits, grad_logits)
    }
}

/// What means are divided by, see [`Loss::divisors`].
#[derive(Clone, Debug, PartialEq)]
pub struct Divisors {
    /// Of each loss that is added up; none of a sum.
    pub of: Vec<Option<f64>>,
    /// Whether it is of several outputs of a network, which are evaluated one by one.
    pub(crate) is_of_outputs: bool,
}

impl Divisors {
    /// Of a loss that is no sum of others.
    pub fn one(weight: Option<f64>) -> Self {
        Self { of: vec![weight], is_of_outputs: false }
    }

    /// Of losses of several outputs.
    #[doc(hidden)]
    pub fn of_outputs(of: Vec<Self>) -> Self {
        Self { of: of.into_iter().flat_map(|divisors| divisors.of).collect(), is_of_outputs: true }
    }
}

/// What a loss works in.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct LossMemory {
    /// The shares of the whole that the losses of several outputs are; all of it if there are none.
    pub(crate) shares: Vec<f64>,
    pub(crate) values: Buffer,
    pub(crate) scratch: Scratch,
    /// Of a loss of several outputs.
    outputs: Vec<output::OfOutput>,
}

/// The loss of a network that declares its own: its output, one number a sample, and the mean of that over the batch. The
/// backward pass starts from 1, divided by the samples.
///
/// ```
/// use cnn_core::prelude::*;
/// use cnn_core::loss::OwnLoss;
///
/// network! {
///     /// A line through points, and how far it is from them.
///     pub Line<x: <1>, y: <1>> { x, linear<1>, map(|line, y| pow(line - y, 2)) }
/// }
///
/// let (x, y) = (Batch::from_nchw(&[1.0, 2.0, 3.0])?, Batch::from_nchw(&[3.0, 5.0, 7.0])?);
/// let (mut net, mut training) = (Line::new(0), Training::new(0));
/// let mut optimizer = Sgd::new(SgdOptions::new(0.1))?;
/// for _ in 0..500 {
///     training.backward(Mode::Training, &mut net, &Line::inputs(&x, &y)?, &OwnLoss)?;
///     optimizer.step(&mut net, training.gradients());
/// }
/// let [slope, height] = net.weights().values() else { unreachable!() };
/// assert!((slope - 2.0).abs() < 1e-3 && (height - 1.0).abs() < 1e-3);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnLoss;

impl Loss<Flat<1>> for OwnLoss {
    fn evaluate(&self, output: Samples<'_, Flat<1>>, mut grad_output: SamplesMut<'_, Flat<1>>) -> Result<f32, Error> {
        let samples = output.len();
        if samples == 0 {
            return Err(Error::EmptyBatch { shape: Flat::<1>::SIZES });
        }
        if grad_output.len() != samples {
            let (name, found) = ("grad", grad_output.len());
            return Err(Error::Values { name, rows: samples, width: 1, found });
        }
        let scale = 1.0 / samples as f64;
        grad_output.values().fill(scale as f32);
        Ok((output.values().iter().copied().map(f64::from).sum::<f64>() * scale) as f32)
    }
}

/// An output of scores, one for each of `CLASSES` classes, that no `softmax` has turned into probabilities.
#[diagnostic::on_unimplemented(
    message = "a bound is missing: nothing says that `{Self}` is logits of {CLASSES} classes, which cross-entropy takes",
    label = "wants a network of which it is known what it makes",
    note = "a function that is generic over networks `N` says what they make: `N: Network<Output = Flat<{CLASSES}>>`, or \
            `where N::Output: Logits<{CLASSES}>` with `cnn_core::loss::Logits`"
)]
pub trait Logits<const CLASSES: usize>: Classes<CLASSES> {}

impl<const N: usize, const CLASSES: usize> Logits<CLASSES> for Flat<N> where Self: Classes<CLASSES> {}
impl<const C: usize, const H: usize, const W: usize, const CLASSES: usize> Logits<CLASSES> for Chw<C, H, W> where
    Self: Classes<CLASSES>
{
}
// Never: it is here so that the compiler gets to `Scores`, and can tell what is known to be no logits from what is unknown.
impl<S: Classes<CLASSES>, const CLASSES: usize> Logits<CLASSES> for Probabilities<S> where Probabilities<S>: Scores {}

/// What [`Probabilities`] are not.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "cross-entropy takes logits, and this network ends in `softmax`",
    label = "probabilities, not logits",
    note = "drop the `softmax` layer (cross-entropy has it in itself; `argmax` is the same without), or use the loss on \
            probabilities, `NegativeLogLikelihood`"
)]
pub trait Scores {}

/// An output of one value for each of `CLASSES` classes: features, or the channels at each position of a map, as PyTorch's
/// losses take `[n, classes]` and `[n, classes, height, width]`.
#[diagnostic::on_unimplemented(
    message = "a bound is missing: nothing says that `{Self}` is of {CLASSES} classes, as the labels are",
    label = "wants a network of which it is known what it makes",
    note = "a function that is generic over networks `N` says what they make: `N: Network<Output = Flat<{CLASSES}>>`, or \
            `where N::Output: Classes<{CLASSES}>` with `cnn_core::loss::Classes`"
)]
pub trait Classes<const CLASSES: usize>: Shape {
    /// Labels of one sample: its positions, row by row.
    const LABELS: usize = Self::SIZES.positions();
}

impl<const N: usize, const CLASSES: usize> Classes<CLASSES> for Flat<N> where Self: AsMany<CLASSES> {}
impl<const C: usize, const H: usize, const W: usize, const CLASSES: usize> Classes<CLASSES> for Chw<C, H, W> where
    Self: AsMany<CLASSES>
{
}
impl<S: Classes<CLASSES>, const CLASSES: usize> Classes<CLASSES> for Probabilities<S> {}

/// Known outputs of one value for each class: apart from [`Classes`], so that the compiler can tell another number of classes
/// from an unknown one.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the labels are of {CLASSES} classes, and the network's output is `{Self}`",
    label = "expected `Flat<{CLASSES}>`",
    note = "end the network in `linear<{CLASSES}>` (or, for a label at every position, in `conv2d<{CLASSES}, 1>`), or take \
            `Labels` of as many classes as it has outputs"
)]
pub trait AsMany<const CLASSES: usize> {}

impl<const CLASSES: usize> AsMany<CLASSES> for Flat<CLASSES> {}
impl<const CLASSES: usize, const H: usize, const W: usize> AsMany<CLASSES> for Chw<CLASSES, H, W> {}

/// Cross-entropy of logits and labels in nats, `ln(sum exp(x)) - x[label]`, the mean over all labels of the batch: one of each
/// sample, or one of each position of each sample's map.
/// <https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html>
///
/// ```
/// use cnn_core::prelude::*;
///
/// // The third pixel is of no class, and one class counts twice.
/// let labels = Labels::<3>::ignoring(255, &[0, 2, 255, 1])?;
/// let loss = CrossEntropy::new(&labels).weights(&[1.0, 2.0, 1.0])?.label_smoothing(0.1)?;
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CrossEntropy<'a, const CLASSES: usize> {
    labels: &'a Labels<CLASSES>,
    weights: Option<&'a [f32; CLASSES]>,
    label_smoothing: f32,
    reduction: Reduction,
}

impl<'a, const CLASSES: usize> CrossEntropy<'a, CLASSES> {
    /// Of a batch with these labels.
    pub fn new(labels: &'a Labels<CLASSES>) -> Self {
        Self { labels, weights: None, label_smoothing: 0.0, reduction: Reduction::Mean }
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

    /// With this share of each label given to all classes.
    ///
    /// # Errors
    ///
    /// [`Error::LossOption`] when it is not between 0 and 1.
    pub fn label_smoothing(self, label_smoothing: f32) -> Result<Self, Error> {
        Ok(Self { label_smoothing: weighted::smoothing(label_smoothing)?, ..self })
    }

    /// What becomes of the losses of all labels.
    #[must_use]
    pub fn reduction(self, reduction: Reduction) -> Self {
        Self { reduction, ..self }
    }

    fn options(&self) -> Options<'_> {
        Options {
            weights: self.weights.map(<[f32; CLASSES]>::as_slice),
            label_smoothing: self.label_smoothing,
            reduction: self.reduction,
        }
    }
}

/// What becomes of many losses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reduction {
    /// Their mean.
    #[default]
    Mean,
    /// Their sum.
    Sum,
}

impl Reduction {
    /// What the means of so many equal parts are divided by.
    fn divisors(self, parts: usize) -> Divisors {
        Divisors::one((self == Self::Mean).then_some(parts as f64))
    }
}

/// A share of a loss that several batches have together, and of its gradient.
pub(crate) fn take_share(loss: f32, gradient: &mut [f32], share: f64) -> f32 {
    if share == 0.0 {
        // Nothing counts here, and the mean of nothing is not a number.
        gradient.fill(0.0);
        return 0.0;
    }
    let factor = share as f32;
    gradient.iter_mut().for_each(|value| *value *= factor);
    (f64::from(loss) * share) as f32
}

impl<S: Logits<CLASSES>, const CLASSES: usize> Loss<S> for CrossEntropy<'_, CLASSES> {
    fn divisors(&self, _samples: usize) -> Divisors {
        Divisors::one(self.options().weight_of(CLASSES, self.labels.as_slice()))
    }

    fn evaluate(&self, output: Samples<'_, S>, mut grad_output: SamplesMut<'_, S>) -> Result<f32, Error> {
        let labels = self.labels.of::<S>(output.len(), S::LABELS)?;
        let (logits, grad) = (output.values(), grad_output.values());
        let is_plain = self.weights.is_none() && self.label_smoothing == 0.0 && !self.labels.ignores();
        if is_plain && self.reduction == Reduction::Mean {
            return Ok(cross_entropy_rows(CLASSES, logits, labels, labels.len(), grad)? as f32);
        }
        weighted::check_gradient(CLASSES, logits, grad)?;
        Ok(weighted::cross_entropy(CLASSES, logits, labels, &self.options(), grad) as f32)
    }
}

/// Mean squared error against targets, `(output - target)^2`, over all values of the batch.
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
