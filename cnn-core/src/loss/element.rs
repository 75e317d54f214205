//! Losses of each value and what it should be: the mean over all values of a batch, or the sum. Names, options and defaults are
//! PyTorch's.

use core::marker::PhantomData;

use super::{Divisors, Loss, Reduction};
use crate::Error;
use crate::kernel::isa::vectorize;
use crate::kernel::memory::chunk::join;
use crate::shape::Shape;
use crate::tensor::{Batch, Samples, SamplesMut};

/// A loss of each value `x` and what it should be, `t`.
trait Element: Copy + Sync {
    /// The loss, and its slope by `x`.
    fn of(self, x: f32, t: f32) -> [f32; 2];
}

/// Values that one thread takes at a time.
const PIECE: usize = 1 << 14;
/// Sums side by side, which the compiler keeps in vector registers.
const LANES: usize = 16;

/// The sum of the losses, and the slopes times `scale`. Where the values are cut depends on their number alone.
fn sum<E: Element>(element: E, scale: f32, output: &[f32], target: &[f32], grad: &mut [f32]) -> f64 {
    if output.len() > PIECE {
        let middle = (output.len() / 2).next_multiple_of(PIECE);
        let ((output, more_output), (target, more_target)) = (output.split_at(middle), target.split_at(middle));
        let (grad, more_grad) = grad.split_at_mut(middle);
        let (first, second) = join(
            || sum(element, scale, output, target, grad),
            || sum(element, scale, more_output, more_target, more_grad),
        );
        return first + second;
    }
    vectorize(
        #[inline(always)]
        || {
            let mut sums = [0.0_f64; LANES];
            let ((outputs, output), (targets, target)) = (output.as_chunks::<LANES>(), target.as_chunks::<LANES>());
            let (grads, grad) = grad.as_chunks_mut::<LANES>();
            for ((output, target), grad) in outputs.iter().zip(targets).zip(grads) {
                let mut losses = [0.0_f32; LANES];
                for lane in 0..LANES {
                    let [loss, slope] = element.of(output[lane], target[lane]);
                    losses[lane] = loss;
                    grad[lane] = slope * scale;
                }
                for (sum, loss) in sums.iter_mut().zip(losses) {
                    *sum += f64::from(loss);
                }
            }
            for ((x, t), (grad, sum)) in output.iter().zip(target).zip(grad.iter_mut().zip(&mut sums)) {
                let [loss, slope] = element.of(*x, *t);
                *grad = slope * scale;
                *sum += f64::from(loss);
            }
            sums.iter().sum()
        },
    )
}

fn evaluate<S: Shape, E: Element>(
    element: E,
    reduction: Reduction,
    targets: &Batch<S>,
    output: Samples<'_, S>,
    mut grad_output: SamplesMut<'_, S>,
) -> Result<f32, Error> {
    let samples = output.len();
    if samples == 0 {
        return Err(Error::EmptyBatch { shape: S::SIZES });
    }
    for found in [targets.len(), grad_output.len()] {
        if found != samples {
            return Err(Error::Samples { expected: samples, found });
        }
    }
    let values = output.values();
    let scale = match reduction {
        Reduction::Mean => 1.0 / values.len() as f64,
        Reduction::Sum => 1.0,
    };
    Ok((sum(element, scale as f32, values, targets.values(), grad_output.values()) * scale) as f32)
}

macro_rules! loss {
    ($(#[$about:meta])* $name:ident($element:ident { $($option:ident: $value:expr),* })) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<'a, S> {
            targets: &'a Batch<S>,
            reduction: Reduction,
            element: $element,
            shape: PhantomData<S>,
        }

        impl<'a, S: Shape> $name<'a, S> {
            /// Against these targets.
            pub fn new(targets: &'a Batch<S>) -> Self {
                let element = $element { $($option: $value),* };
                Self { targets, reduction: Reduction::Mean, element, shape: PhantomData }
            }

            /// What becomes of the losses of all values.
            #[must_use]
            pub fn reduction(self, reduction: Reduction) -> Self {
                Self { reduction, ..self }
            }
        }

        impl<S: Shape> Loss<S> for $name<'_, S> {
            fn divisors(&self, samples: usize) -> Divisors {
                self.reduction.divisors(samples)
            }

            fn evaluate(&self, output: Samples<'_, S>, grad_output: SamplesMut<'_, S>) -> Result<f32, Error> {
                evaluate(self.element, self.reduction, self.targets, output, grad_output)
            }
        }
    };
}

loss! {
    /// `|x - t|`. <https://pytorch.org/docs/stable/generated/torch.nn.L1Loss.html>
    L1(Size {})
}

loss! {
    /// `(x - t)^2 / (2 beta)` where `|x - t| < beta`, and `|x - t| - beta / 2` elsewhere; `beta = 1`.
    /// <https://pytorch.org/docs/stable/generated/torch.nn.SmoothL1Loss.html>
    SmoothL1(Bent { bound: 1.0, steep: 1.0 })
}

loss! {
    /// `(x - t)^2 / 2` where `|x - t| < delta`, and `delta (|x - t| - delta / 2)` elsewhere; `delta = 1`.
    /// <https://pytorch.org/docs/stable/generated/torch.nn.HuberLoss.html>
    Huber(Bent { bound: 1.0, steep: 1.0 })
}

loss! {
    /// Binary cross-entropy of logits `x` and probabilities `t`: `-(p t ln(sigmoid(x)) + (1 - t) ln(1 - sigmoid(x)))`, with
    /// `pos_weight = 1` as `p`. <https://pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html>
    BinaryCrossEntropyWithLogits(Logistic { pos_weight: 1.0 })
}

loss! {
    /// `t (ln(t) - x)` of logarithms of probabilities `x`, which `log_softmax` makes, and probabilities `t`; none where `t` is 0.
    /// The mean is that over all values, as PyTorch's is by default; its `batchmean` is the sum divided by the samples.
    /// <https://pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html>
    KlDivergence(Divergence {})
}

/// Above 0 and finite.
fn positive(option: &'static str, value: f32) -> Result<f32, Error> {
    if value > 0.0 && value.is_finite() {
        Ok(value)
    } else {
        Err(Error::LossOption { option, value, wants: "a finite number above 0" })
    }
}

impl<S: Shape> SmoothL1<'_, S> {
    /// Where the square ends.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] when it is not above 0, or not finite.
    pub fn beta(self, beta: f32) -> Result<Self, Error> {
        Ok(Self { element: Bent { bound: positive("beta", beta)?, steep: 1.0 }, ..self })
    }
}

impl<S: Shape> Huber<'_, S> {
    /// Where the square ends.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] when it is not above 0, or not finite.
    pub fn delta(self, delta: f32) -> Result<Self, Error> {
        let delta = positive("delta", delta)?;
        Ok(Self { element: Bent { bound: delta, steep: delta }, ..self })
    }
}

impl<S: Shape> BinaryCrossEntropyWithLogits<'_, S> {
    /// The weight of what is there.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] when it is not above 0, or not finite.
    pub fn pos_weight(self, pos_weight: f32) -> Result<Self, Error> {
        Ok(Self { element: Logistic { pos_weight: positive("pos_weight", pos_weight)? }, ..self })
    }
}

#[derive(Clone, Copy, Debug)]
struct Size {}

/// 1 above zero, -1 below, 0 at zero and, as in PyTorch, at NaN.
fn sign(x: f32) -> f32 {
    f32::from(i8::from(x > 0.0) - i8::from(x < 0.0))
}

impl Element for Size {
    #[inline(always)]
    fn of(self, x: f32, t: f32) -> [f32; 2] {
        let distance = x - t;
        [distance.abs(), sign(distance)]
    }
}

/// A square around zero that goes over into a line.
#[derive(Clone, Copy, Debug)]
struct Bent {
    /// Where the square ends.
    bound: f32,
    /// The slope of the line.
    steep: f32,
}

impl Element for Bent {
    #[inline(always)]
    fn of(self, x: f32, t: f32) -> [f32; 2] {
        let Self { bound, steep } = self;
        let distance = x - t;
        if distance.abs() < bound {
            // `steep / bound` is 1 of Huber's, exactly.
            let slope = distance / (bound / steep);
            [0.5 * distance * slope, slope]
        } else {
            [steep * (distance.abs() - 0.5 * bound), steep * sign(distance)]
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Logistic {
    pos_weight: f32,
}

impl Element for Logistic {
    #[inline(always)]
    fn of(self, x: f32, t: f32) -> [f32; 2] {
        let weight = (self.pos_weight - 1.0) * t + 1.0;
        let small = (-x.abs()).exp();
        // `softplus(-x)`, and the probability of not being there.
        let rest = small.ln_1p() + if x < 0.0 { -x } else { 0.0 };
        let missing = if x < 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
        [(1.0 - t) * x + weight * rest, (1.0 - t) - weight * missing]
    }
}

#[derive(Clone, Copy, Debug)]
struct Divergence {}

impl Element for Divergence {
    #[inline(always)]
    fn of(self, x: f32, t: f32) -> [f32; 2] {
        let own = if t > 0.0 { t * t.ln() } else { 0.0 };
        [own - t * x, -t]
    }
}
