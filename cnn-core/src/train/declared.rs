//! Losses that `network!` declares: networks without weights whose output is one number a sample.

use core::fmt;
use core::marker::PhantomData;

use crate::Error;
use crate::kernel::memory::buffer::split;
use crate::kernel::memory::chunk::threads;
use crate::layer::{GradInput, Mode, Owned, Pass, step};
use crate::loss::{Divisors, Loss, LossMemory};
use crate::network::{Given, Network, gather_values};
use crate::shape::Shape;
use crate::tensor::{Samples, SamplesMut};

/// A network of type `L` as a loss of its first input, of shape `S`, against `N` others: `L::loss(&targets)`.
///
/// The network has no weights and makes one number of each sample; the loss is their mean over the batch, or their
/// [`sum`](Self::sum). Where it makes two, `outputs { loss: .., weight: .. }`, it is the sum of all losses divided by the sum of
/// all weights, as PyTorch's mean of weighted losses is.
///
/// ```
/// use cnn_core::prelude::*;
///
/// const GAMMA: f32 = 2.0;
///
/// network! {
///     /// Binary cross-entropy of logits.
///     pub Entropy<logits: <4>, target: <4>> {
///         map(|logits, target| max(logits, 0) - logits * target + ln_1p(exp(-abs(logits)))),
///         mean,
///     }
/// }
///
/// let (logits, targets) = (Batch::<Flat<4>>::zeros(2), Batch::zeros(2));
/// let mut gradient = Batch::zeros(2);
/// let loss = Entropy::loss(&targets).evaluate(logits.samples(), gradient.samples_mut())?;
/// assert!((loss - std::f32::consts::LN_2).abs() < 1e-6);
/// assert!((gradient[(0, 0)] - 0.5 / 8.0).abs() < 1e-6);
/// # Ok::<(), Error>(())
/// ```
///
/// # Losses to copy
///
/// With PyTorch's numbers, for the sizes at hand. Margins and the like are constants of the program.
///
/// ```
/// use cnn_core::prelude::*;
///
/// const ALPHA: f32 = 0.25;
/// const GAMMA: f32 = 2.0;
///
/// network! {
///     /// The focal loss, `torchvision.ops.sigmoid_focal_loss`: <https://arxiv.org/abs/1708.02002>.
///     pub Focal<logits: <4>, target: <4>> {
///         map(|x, target| {
///             let miss = target * sigmoid(-x) + (1 - target) * sigmoid(x);
///             let share = ALPHA * target + (1 - ALPHA) * (1 - target);
///             share * pow(miss, GAMMA) * (softplus(x) - x * target)
///         }),
///         mean,
///     }
///
///     /// Dice: how little two masks overlap, for each class, of which it is the mean.
///     pub Dice<logits: <2, 8, 8>, target: <2, 8, 8>> {
///         logits, map(|x, target| sigmoid(x) * target), sum(over = space) as both,
///         logits, map(|x, target| sigmoid(x) + target), sum(over = space),
///         map(|all, both| 1 - (2 * both + 1) / (all + 1)), mean,
///     }
/// }
///
/// const MARGIN: f32 = 0.0;
///
/// network! {
///     /// `CosineEmbeddingLoss`: `side` is 1 of vectors that should point the same way, and -1 of others.
///     pub Cosine<a: <5>, b: <5>, side: <1>> {
///         a, map(|a| a * a), sum as of_a,
///         b, map(|b| b * b), sum as of_b,
///         a, map(|a, b| a * b), sum,
///         map(|product, of_a, of_b| product / sqrt((of_a + 1e-12) * (of_b + 1e-12))),
///         map(|cosine, side| if side > 0 { 1 - cosine } else { max(cosine - MARGIN, 0) }),
///     }
/// }
///
/// const APART: f32 = 1.0;
///
/// network! {
///     /// Contrastive: what is alike comes close, and what is not goes so far apart.
///     pub Contrastive<a: <5>, b: <5>, side: <1>> {
///         a, map(|a, b| a - b + 1e-6), norm,
///         map(|distance, side| if side > 0 { pow(distance, 2) } else { pow(max(APART - distance, 0), 2) }),
///     }
///
///     /// `TripletMarginLoss`; with `swap`, `far` is `min(far, other)`, of the distance between `positive` and `negative`.
///     pub Triplet<anchor: <5>, positive: <5>, negative: <5>> {
///         anchor, map(|a, positive| a - positive + 1e-6), norm as near,
///         anchor, map(|a, negative| a - negative + 1e-6), norm,
///         map(|far, near| max(near - far + APART, 0)),
///     }
/// }
///
/// let (near, far) = (Batch::zeros(2), Batch::zeros(2).map(|_| 3.0));
/// let mut gradient = Batch::zeros(2);
/// let loss = Triplet::loss(&near, &far).evaluate(Batch::zeros(2).samples(), gradient.samples_mut())?;
/// assert_eq!(loss, 0.0);
/// # Ok::<(), Error>(())
/// ```
///
/// A loss that is one expression of its inputs, `Entropy` or `Focal`, and the `sum` or `mean` of that, runs as one loop over them:
/// no map lies between.
///
/// The gradient is that of the first input alone. Where all of them are made by one network, its loss is part of it, behind
/// `share<..>`: see [`OwnLoss`](crate::loss::OwnLoss).
pub struct DeclaredLoss<'a, L, S, const N: usize> {
    others: [Given<'a>; N],
    sums: bool,
    one_loop: Option<OneLoop>,
    network: PhantomData<fn() -> (L, S)>,
}

/// A loss that is nothing but an expression of its inputs, and the sum or mean of that: what the steps would compute, without a
/// map between them.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct OneLoop {
    /// Each input of all samples, what the gradient of each value is -> the sum of all values, and the gradient of the first input.
    pub run: fn(&[&[f32]], f32, &mut [f32]) -> f64,
    /// The values of a sample whose mean its loss is, or 1 where it is their sum.
    pub mean_of: usize,
}

impl OneLoop {
    /// The sum of the losses of all samples times `scale`, and the gradient of that.
    fn evaluate(self, first: &[f32], others: &[Given<'_>], scale: f64, gradient: &mut [f32]) -> f64 {
        let mut inputs = [first; MOST_INPUTS];
        for (input, other) in inputs[1..].iter_mut().zip(others) {
            *input = other.values();
        }
        let scale = scale / self.mean_of as f64;
        (self.run)(&inputs[..=others.len()], scale as f32, gradient) * scale
    }
}

/// As many inputs as an expression takes maps.
const MOST_INPUTS: usize = 8;

impl<'a, L: Network, S: Shape, const N: usize> DeclaredLoss<'a, L, S, N> {
    #[doc(hidden)]
    pub fn new(others: [Given<'a>; N]) -> Self {
        Self { others, sums: false, one_loop: None, network: PhantomData }
    }

    /// Of a network that one loop computes.
    #[doc(hidden)]
    #[must_use]
    pub fn in_one_loop(self, one_loop: OneLoop) -> Self {
        Self { one_loop: Some(one_loop), ..self }
    }

    /// The sum over the batch instead of the mean.
    #[must_use]
    pub fn sum(self) -> Self {
        Self { sums: true, ..self }
    }

    /// The loss of what the network made of each sample, and the gradient of that.
    fn reduce(&self, samples: usize, output: &[f32], grad_output: &mut [f32]) -> f64 {
        let total = |place: usize, of_each: usize| -> f64 {
            output.chunks_exact(of_each).map(|sample| f64::from(sample[place])).sum()
        };
        if L::OUTPUTS.is_empty() {
            let scale = if self.sums { 1.0 } else { 1.0 / samples as f64 };
            grad_output.fill(scale as f32);
            return total(0, 1) * scale;
        }
        let (loss, weight) = (total(0, 2), if self.sums { 1.0 } else { total(1, 2) });
        for sample in grad_output.chunks_exact_mut(2) {
            sample[0] = (1.0 / weight) as f32;
            sample[1] = if self.sums { 0.0 } else { (-loss / (weight * weight)) as f32 };
        }
        loss / weight
    }
}

impl<L: Network, S: Shape, const N: usize> Loss<S> for DeclaredLoss<'_, L, S, N> {
    /// Of one that makes weights, they are taken to be as many for each sample.
    fn divisors(&self, samples: usize) -> Divisors {
        Divisors::one((!self.sums).then_some(samples as f64))
    }

    fn evaluate(&self, output: Samples<'_, S>, grad_output: SamplesMut<'_, S>) -> Result<f32, Error> {
        self.evaluate_in(output, grad_output, &mut LossMemory::default())
    }

    fn evaluate_in(
        &self,
        output: Samples<'_, S>,
        mut grad_output: SamplesMut<'_, S>,
        memory: &mut LossMemory,
    ) -> Result<f32, Error> {
        let samples = output.len();
        if samples == 0 {
            return Err(Error::EmptyBatch { shape: S::SIZES });
        }
        if let Some(other) = self.others.iter().find(|other| other.samples() != samples) {
            return Err(Error::Samples { expected: samples, found: other.samples() });
        }
        if grad_output.len() != samples {
            return Err(Error::Samples { expected: samples, found: grad_output.len() });
        }
        if let Some(one_loop) = self.one_loop {
            let scale = if self.sums { 1.0 } else { 1.0 / samples as f64 };
            return Ok(one_loop.evaluate(output.values(), &self.others, scale, grad_output.values()) as f32);
        }
        let (taken, made) = (samples * L::Input::LEN, samples * L::Output::LEN);
        let lens = [taken, taken, made, made, step::saved(L::STEPS), samples * L::MEMORY.training];
        memory.values.grow(lens.iter().sum());
        memory.scratch.prepare(L::NEEDS, threads());
        let [input, grad_input, values, grad_values, saved, workspace] = split(&mut memory.values, lens);
        let first = Given::of_samples(output);
        gather_values(core::iter::once(&first).chain(&self.others), samples, input);
        let mut pass = Pass::new(Mode::Evaluation, 0, 0, &mut memory.scratch);
        let mut owned = Owned { parameters: &[], state: &mut [], counts: &mut [], saved, workspace };
        L::forward_steps(&mut pass, samples, owned.reborrow(), input, values);
        let loss = self.reduce(samples, values, grad_values);
        let to = Some(GradInput::store(grad_input));
        L::backward_steps(&mut pass, samples, owned, input, values, grad_values, to, &mut []);
        let samples = grad_input.chunks_exact(L::Input::LEN).zip(grad_output.values().chunks_exact_mut(S::LEN));
        samples.for_each(|(from, to)| to.copy_from_slice(&from[..S::LEN]));
        Ok(loss as f32)
    }
}

impl<L: Network, S, const N: usize> fmt::Debug for DeclaredLoss<'_, L, S, N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DeclaredLoss<{}>", L::NAME)
    }
}
