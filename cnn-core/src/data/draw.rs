use crate::random::{Key, Purpose, Stream};

/// The random numbers of one sample in one epoch.
///
/// They depend on the seed, the epoch and the sample alone (and, where a sample is drawn several times in an epoch, on which
/// time it is): not on the batch, on threads, or on what other samples took.
#[derive(Debug)]
pub struct Draw {
    key: Key,
    /// Made when it is first wanted: most of what is loaded is not random.
    stream: Option<Stream>,
}

impl Draw {
    /// Those of a sample; `time` counts from 0 how often it came before in this epoch.
    pub fn new(seed: u64, epoch: u64, sample: usize, time: u64) -> Self {
        let key = Key { purpose: Purpose::Augmentation, seed, step: epoch, layer: time, sample: sample as u64 };
        Self { key, stream: None }
    }

    /// Those of a batch as a whole.
    pub(super) fn of_batch(seed: u64, epoch: u64, batch: usize) -> Self {
        let key = Key { purpose: Purpose::Mixing, seed, step: epoch, layer: 0, sample: batch as u64 };
        Self { key, stream: None }
    }

    /// The epoch, counted from 0.
    pub fn epoch(&self) -> u64 {
        self.key.step
    }

    /// All that can be drawn.
    pub fn stream(&mut self) -> &mut Stream {
        self.stream.get_or_insert_with(|| self.key.stream())
    }

    /// `true` by this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.stream().uniform64() < probability
    }

    /// A number in `[low, high)`, each as likely as the others; `low` where both are equal.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.stream().uniform64()
    }

    /// A whole number in `0..n`.
    ///
    /// # Panics
    ///
    /// If `n` is zero.
    pub fn below(&mut self, n: usize) -> usize {
        self.stream().below(n)
    }
}
