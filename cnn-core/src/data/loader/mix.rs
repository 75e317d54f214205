//! Mixtures of the samples of a batch, with soft targets.

use crate::data::{DataError, Draw};
use crate::loss::Labels;
use crate::random::Stream;
use crate::shape::{Flat, Shape};
use crate::tensor::Batch;

/// What is done to a whole batch once its samples are made, PyTorch's `collate_fn`. It runs on the loader's threads.
pub trait Mixing<S: Shape, T>: Send + Sync + 'static {
    /// Targets of the batch afterwards.
    type Targets: Default + Send + 'static;

    /// Changes the inputs, and makes `mixed` of their targets. Both targets are memory of earlier batches and stay so.
    ///
    /// # Errors
    ///
    /// What the batch is wrong in.
    fn mix(
        &self,
        inputs: &mut Batch<S>,
        targets: &mut T,
        draw: &mut Draw,
        mixed: &mut Self::Targets,
    ) -> Result<(), DataError>;
}

/// Batches as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unmixed;

impl<S: Shape, T: Default + Send + 'static> Mixing<S, T> for Unmixed {
    type Targets = T;

    fn mix(&self, _: &mut Batch<S>, targets: &mut T, _: &mut Draw, mixed: &mut T) -> Result<(), DataError> {
        std::mem::swap(targets, mixed);
        Ok(())
    }
}

/// Every sample mixed with the one before it in the batch (the first with the last), targets and all: torchvision's `MixUp` and
/// `CutMix`. The targets become shares of the classes, for [`SoftCrossEntropy`](crate::loss::SoftCrossEntropy).
///
/// ```
/// use cnn_core::data::{Class, Loader, LoaderOptions, Mix, Tensors};
/// use cnn_core::loss::SoftCrossEntropy;
/// use cnn_core::prelude::*;
///
/// let inputs = Batch::<Chw<1, 2, 2>>::zeros(6);
/// let set = Tensors::new(inputs, [0, 1, 2, 0, 1, 2].map(Class::<3>).to_vec())?;
/// let mut loader = Loader::with(set, LoaderOptions::new(3).shuffled(), Mix::either(0.2, 1.0)?)?;
/// for batch in loader.epoch(0) {
///     let batch = batch?;
///     let loss = SoftCrossEntropy::new(&batch.targets);
///     assert!(batch.targets.iter().all(|shares| (shares.values().iter().sum::<f32>() - 1.0).abs() < 1e-6));
/// }
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mix {
    mixup: Option<f64>,
    cutmix: Option<f64>,
}

impl Mix {
    /// Every value a mean of two samples', with a weight of the distribution Beta(alpha, alpha) that is the same in all of a batch.
    /// <https://arxiv.org/abs/1710.09412>
    ///
    /// # Errors
    ///
    /// [`DataError::Alpha`] when it is not a finite number above zero.
    pub fn mixup(alpha: f64) -> Result<Self, DataError> {
        Ok(Self { mixup: Some(sound(alpha)?), cutmix: None })
    }

    /// A rectangle of another sample; the share of what stays is of the distribution Beta(alpha, alpha).
    /// <https://arxiv.org/abs/1905.04899>
    ///
    /// # Errors
    ///
    /// As [`mixup`](Self::mixup).
    pub fn cutmix(alpha: f64) -> Result<Self, DataError> {
        Ok(Self { mixup: None, cutmix: Some(sound(alpha)?) })
    }

    /// Each batch one of the two, by a coin: torchvision's `RandomChoice([mixup, cutmix])`.
    ///
    /// # Errors
    ///
    /// As [`mixup`](Self::mixup).
    pub fn either(mixup_alpha: f64, cutmix_alpha: f64) -> Result<Self, DataError> {
        Ok(Self { mixup: Some(sound(mixup_alpha)?), cutmix: Some(sound(cutmix_alpha)?) })
    }
}

fn sound(alpha: f64) -> Result<f64, DataError> {
    if alpha.is_finite() && alpha > 0.0 { Ok(alpha) } else { Err(DataError::Alpha(alpha)) }
}

impl<S: Shape, const CLASSES: usize> Mixing<S, Labels<CLASSES>> for Mix
where
    Flat<CLASSES>: Shape,
{
    type Targets = Batch<Flat<CLASSES>>;

    fn mix(
        &self,
        inputs: &mut Batch<S>,
        labels: &mut Labels<CLASSES>,
        draw: &mut Draw,
        mixed: &mut Self::Targets,
    ) -> Result<(), DataError> {
        let samples = inputs.len();
        if labels.len() != samples || labels.as_slice().iter().any(|&class| class >= CLASSES) {
            return Err(DataError::Unmixable { samples, found: labels.len() });
        }
        let share = match (self.mixup, self.cutmix) {
            (Some(alpha), None) => mixup(inputs, beta(alpha, draw.stream())),
            (None, Some(alpha)) => cutmix(inputs, beta(alpha, draw.stream()), draw),
            (Some(alpha), Some(_)) if draw.chance(0.5) => mixup(inputs, beta(alpha, draw.stream())),
            (_, Some(alpha)) => cutmix(inputs, beta(alpha, draw.stream()), draw),
            (None, None) => 1.0,
        };
        mixed.resize(samples);
        mixed.values_mut().fill(0.0);
        for (sample, shares) in mixed.values_mut().chunks_exact_mut(CLASSES).enumerate() {
            let before = (sample + samples - 1) % samples;
            shares[labels.as_slice()[sample]] += share as f32;
            shares[labels.as_slice()[before]] += (1.0 - share) as f32;
        }
        Ok(())
    }
}

/// `x * share + before * (1 - share)`, in single precision as torch does. Returns the share.
fn mixup<S: Shape>(inputs: &mut Batch<S>, share: f64) -> f64 {
    let (own, other) = (share as f32, (1.0 - share) as f32);
    each_with_the_one_before(inputs, |value, before| before * other + value * own, |_| true);
    share
}

/// Puts a rectangle of the sample before into each. Returns the share of what stays.
fn cutmix<S: Shape>(inputs: &mut Batch<S>, share: f64, draw: &mut Draw) -> f64 {
    let (height, width) = (S::SIZES.height(), S::SIZES.width());
    let (x, y) = (draw.below(width), draw.below(height));
    let [left, top, right, bottom] = rectangle([height, width], [x, y], share);
    let channels = S::SIZES.channels();
    let inside = |place: usize| {
        let (row, column) = (place / channels / width, place / channels % width);
        (top..bottom).contains(&row) && (left..right).contains(&column)
    };
    each_with_the_one_before(inputs, |_, before| before, inside);
    1.0 - ((right - left) * (bottom - top)) as f64 / (width * height) as f64
}

/// Left, top, right and bottom of a rectangle around a place, which is cut off at the borders: torchvision's `CutMix.make_params`.
fn rectangle([height, width]: [usize; 2], [x, y]: [usize; 2], share: f64) -> [usize; 4] {
    let half = 0.5 * (1.0 - share).sqrt();
    let (across, down) = ((half * width as f64) as usize, (half * height as f64) as usize);
    [x.saturating_sub(across), y.saturating_sub(down), (x + across).min(width), (y + down).min(height)]
}

/// Replaces the values at some places of every sample by a function of them and of those of the sample before.
fn each_with_the_one_before<S: Shape>(
    inputs: &mut Batch<S>,
    function: impl Fn(f32, f32) -> f32,
    at: impl Fn(usize) -> bool,
) {
    let values = inputs.values_mut();
    let samples = values.len() / S::LEN;
    for place in (0..S::LEN).filter(|&place| at(place)) {
        // From the last on, each still has its own value when the one behind it asks for it.
        let last = values[(samples - 1) * S::LEN + place];
        for sample in (0..samples).rev() {
            let before = if sample == 0 { last } else { values[(sample - 1) * S::LEN + place] };
            let value = &mut values[sample * S::LEN + place];
            *value = function(*value, before);
        }
    }
}

/// A value of the distribution Beta(alpha, alpha): the share of one of two equal gamma values in their sum.
fn beta(alpha: f64, stream: &mut Stream) -> f64 {
    // By logarithms: values of a small alpha are too small for a number.
    let [a, b] = [(); 2].map(|()| log_gamma_value(alpha, stream));
    1.0 / (1.0 + (b - a).exp())
}

/// The logarithm of a value of the gamma distribution. <https://doi.org/10.1145/358407.358414> (Marsaglia and Tsang), which
/// takes an alpha of 1 or more; a smaller one is that of one more, times a power of a uniform value.
fn log_gamma_value(alpha: f64, stream: &mut Stream) -> f64 {
    let uniform = |stream: &mut Stream| 1.0 - stream.uniform64();
    if alpha < 1.0 {
        let power = uniform(stream).ln() / alpha;
        return log_gamma_value(alpha + 1.0, stream) + power;
    }
    let d = alpha - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = stream.normal();
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && uniform(stream).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return (d * v).ln();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Chw;

    fn draw(batch: usize) -> Draw {
        Draw::of_batch(5, 0, batch)
    }

    #[test]
    fn beta_has_its_mean_and_variance() {
        for alpha in [0.01, 0.2, 0.4, 1.0, 2.5] {
            let mut draw = draw(0);
            let values: Vec<f64> = (0..20_000).map(|_| beta(alpha, draw.stream())).collect();
            assert!(values.iter().all(|value| (0.0..=1.0).contains(value)));
            let mean = values.iter().sum::<f64>() / 20_000.0;
            let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 20_000.0;
            assert!((mean - 0.5).abs() < 0.015, "{alpha}: {mean}");
            assert!((variance - 1.0 / (8.0 * alpha + 4.0)).abs() < 0.004, "{alpha}: {variance}");
        }
    }

    #[test]
    fn rectangles_are_torchvisions() {
        // half = 0.5 sqrt(1 - 0.36) = 0.4
        assert_eq!(rectangle([10, 20], [10, 5], 0.36), [2, 1, 18, 9]);
        assert_eq!(rectangle([10, 20], [0, 9], 0.36), [0, 5, 8, 10]);
        assert_eq!(rectangle([10, 20], [10, 5], 1.0), [10, 5, 10, 5]);
    }

    fn batch() -> (Batch<Chw<1, 2, 2>>, Labels<3>) {
        let values: Vec<f32> = (0..12).map(|value| value as f32).collect();
        (Batch::from_nhwc(&values).unwrap(), Labels::new(&[0, 1, 1]).unwrap())
    }

    #[test]
    fn each_sample_is_mixed_with_the_one_before_as_its_target_is() {
        for number in 0..50 {
            for mix in [Mix::mixup(1.0).unwrap(), Mix::cutmix(1.0).unwrap(), Mix::either(1.0, 1.0).unwrap()] {
                let ((mut inputs, mut labels), mut mixed) = (batch(), Batch::zeros(0));
                mix.mix(&mut inputs, &mut labels, &mut draw(number), &mut mixed).unwrap();
                let share = mixed[(0, 0)];
                assert!((mixed[(0, 1)] - (1.0 - share)).abs() < 1e-6 && mixed[(0, 2)] == 0.0);
                assert!((mixed[(1, 1)] - share).abs() < 1e-6 && (mixed[(2, 1)] - 1.0).abs() < 1e-6);
                // The mean over all places is the mixture by the share, however it is mixed.
                let ones = inputs.values().iter().zip(0..).map(|(&value, place)| value - place as f32);
                let moved: f32 = ones.take(4).sum::<f32>() / 4.0;
                assert!((moved - 8.0 * (1.0 - share)).abs() < 1e-5, "{moved} {share}");
            }
        }
    }

    #[test]
    fn a_batch_of_one_is_mixed_with_itself() {
        let (mut inputs, mut labels) =
            (Batch::<Flat<2>>::from_nhwc(&[3.0, 4.0]).unwrap(), Labels::<2>::new(&[1]).unwrap());
        let mut mixed = Batch::zeros(0);
        Mix::either(0.3, 0.3).unwrap().mix(&mut inputs, &mut labels, &mut draw(0), &mut mixed).unwrap();
        assert!((inputs.values()[0] - 3.0).abs() < 1e-6 && mixed[(0, 0)] == 0.0 && (mixed[(0, 1)] - 1.0).abs() < 1e-6);
    }

    #[test]
    fn what_has_no_class_is_not_mixed() {
        let (mut inputs, _) = batch();
        let mut mixed = Batch::zeros(0);
        let mut ignored = Labels::<3>::ignoring(9, &[0, 9, 1]).unwrap();
        let error = Mix::mixup(1.0).unwrap().mix(&mut inputs, &mut ignored, &mut draw(0), &mut mixed).unwrap_err();
        assert!(error.to_string().starts_with("expected one class for each of 3 samples"), "{error}");
        for alpha in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Mix::mixup(alpha).is_err() && Mix::cutmix(alpha).is_err() && Mix::either(1.0, alpha).is_err());
        }
        assert_eq!(
            Mix::mixup(0.0).unwrap_err().to_string(),
            "alpha = 0: the parameter of a beta distribution is a finite number above zero"
        );
    }
}
