use crate::data::DataError;
use crate::random::{Key, Purpose, shuffled};

/// Which samples an epoch takes, in which order.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Sampling {
    /// All, as they are numbered.
    #[default]
    Sequential,
    /// All, in a random order that depends on seed and epoch.
    Shuffled,
    /// So many, each drawn anew by the samples' weights: one may come several times, or not at all. torch's
    /// `WeightedRandomSampler`.
    Weighted {
        /// The weight of each sample; they need not add up to 1.
        weights: Vec<f64>,
        /// How many are drawn.
        samples: usize,
    },
}

/// Weights by which [`Sampling::Weighted`] draws every class equally often: one divided by how many samples the class has. `labels` has
/// the class of each sample.
///
/// ```
/// use cnn_core::data::{Sampling, balanced_weights};
///
/// let labels = [0_u8, 0, 0, 1];
/// let weights = balanced_weights(&labels);
/// assert_eq!(weights[2..], [1.0 / 3.0, 1.0]);
/// let sampling = Sampling::Weighted { samples: weights.len(), weights };
/// ```
pub fn balanced_weights<L: Copy + Into<usize>>(labels: &[L]) -> Vec<f64> {
    let mut counts = std::collections::HashMap::<usize, usize>::new();
    for &label in labels {
        *counts.entry(label.into()).or_default() += 1;
    }
    labels.iter().map(|&label| 1.0 / counts[&label.into()] as f64).collect()
}

impl Sampling {
    /// How many samples an epoch takes of so many.
    pub(super) fn samples(&self, samples: usize) -> usize {
        match self {
            Self::Sequential | Self::Shuffled => samples,
            Self::Weighted { samples, .. } => *samples,
        }
    }

    pub(super) fn validate(&self, samples: usize) -> Result<(), DataError> {
        let Self::Weighted { weights, .. } = self else { return Ok(()) };
        let wrong = |found: String| Err(DataError::Weights { samples, found });
        if weights.len() != samples {
            return wrong(format!("{} weights", weights.len()));
        }
        if let Some(weight) = weights.iter().find(|weight| !(weight.is_finite() && **weight >= 0.0)) {
            return wrong(weight.to_string());
        }
        let sum: f64 = weights.iter().sum();
        if sum.is_finite() && sum > 0.0 { Ok(()) } else { wrong(format!("a sum of {sum}")) }
    }
}

/// The samples of an epoch in order.
#[derive(Debug, Default)]
pub(super) struct Order {
    pub(super) samples: Vec<usize>,
    /// How often each came before, where one may come again.
    times: Vec<u32>,
    /// Of the weights of all samples up to each.
    sums: Vec<f64>,
}

impl Order {
    /// How often the sample at a place came before in this epoch.
    pub(super) fn time(&self, place: usize) -> u64 {
        self.times.get(place).copied().unwrap_or_default().into()
    }

    /// Makes it that of an epoch. Allocates only at first.
    pub(super) fn set(&mut self, sampling: &Sampling, samples: usize, seed: u64, epoch: u64) {
        match sampling {
            Sampling::Sequential => {
                self.samples.clear();
                self.samples.extend(0..samples);
            }
            Sampling::Shuffled => shuffled(seed, epoch, samples, &mut self.samples),
            Sampling::Weighted { weights, samples: drawn } => self.draw(weights, *drawn, seed, epoch),
        }
    }

    fn draw(&mut self, weights: &[f64], drawn: usize, seed: u64, epoch: u64) {
        let mut sum = 0.0;
        self.sums.clear();
        self.sums.extend(weights.iter().map(|weight| {
            sum += weight;
            sum
        }));
        let mut stream = Key { purpose: Purpose::Sampling, seed, step: epoch, layer: 0, sample: 0 }.stream();
        let last = weights.iter().rposition(|&weight| weight > 0.0).unwrap_or_default();
        self.samples.clear();
        self.samples.extend((0..drawn).map(|_| {
            let place = stream.uniform64() * sum;
            // The first whose sum is above: never one of weight 0. The product may round up to the whole sum.
            self.sums.partition_point(|&sum| sum <= place).min(last)
        }));
        let mut counts = vec![0; weights.len()];
        self.times.clear();
        self.times.extend(self.samples.iter().map(|&sample| {
            counts[sample] += 1;
            counts[sample] - 1
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(sampling: &Sampling, samples: usize, epoch: u64) -> Vec<usize> {
        let mut order = Order::default();
        order.set(sampling, samples, 3, epoch);
        order.samples
    }

    #[test]
    fn a_shuffled_epoch_has_each_sample_once() {
        for epoch in 0..3 {
            let mut all = order(&Sampling::Shuffled, 100, epoch);
            assert_ne!(all, order(&Sampling::Sequential, 100, epoch));
            assert_eq!(all, order(&Sampling::Shuffled, 100, epoch));
            assert_ne!(all, order(&Sampling::Shuffled, 100, epoch + 1));
            all.sort_unstable();
            assert_eq!(all, order(&Sampling::Sequential, 100, epoch));
        }
    }

    #[test]
    fn samples_are_drawn_by_their_weights() {
        let sampling = Sampling::Weighted { weights: vec![0.0, 1.0, 0.0, 3.0, 0.0], samples: 4000 };
        let drawn = order(&sampling, 5, 0);
        let count = |sample| drawn.iter().filter(|&&drawn| drawn == sample).count();
        assert_eq!(count(1) + count(3), 4000);
        // With a standard deviation of 27.
        assert!(count(1).abs_diff(1000) < 110, "{}", count(1));
    }

    #[test]
    fn balanced_classes_come_equally_often() {
        let labels: Vec<u8> = (0..100).map(|index| u8::from(index < 10)).collect();
        let sampling = Sampling::Weighted { weights: balanced_weights(&labels), samples: 2000 };
        let drawn = order(&sampling, 100, 0);
        let ones = drawn.iter().filter(|&&sample| labels[sample] == 1).count();
        // With a standard deviation of 22.
        assert!(ones.abs_diff(1000) < 90, "{ones}");
    }

    #[test]
    fn a_sample_that_comes_again_says_so() {
        let mut order = Order::default();
        order.set(&Sampling::Weighted { weights: vec![1.0, 1.0], samples: 50 }, 2, 1, 0);
        let mut counts = [0; 2];
        for (place, &sample) in order.samples.iter().enumerate() {
            assert_eq!(order.time(place), counts[sample]);
            counts[sample] += 1;
        }
        order.set(&Sampling::Shuffled, 2, 1, 0);
        assert_eq!(order.samples.len(), 2);
    }
}
