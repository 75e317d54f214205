use std::slice::Chunks;

use super::DataError;
use crate::random::shuffled;

/// The samples of each epoch in a new random order, in batches.
///
/// The order depends on seed and epoch alone, so a resumed training sees the batches that it would have seen.
///
/// ```
/// use cnn_core::data::Batches;
///
/// let mut batches = Batches::new(10, 4, 1)?;
/// assert_eq!(batches.per_epoch(), 3);
/// assert_eq!(batches.epoch(0).map(<[usize]>::len).collect::<Vec<_>>(), [4, 4, 2]);
/// # Ok::<(), cnn_core::data::DataError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Batches {
    /// Empty before the first epoch, with room for one.
    order: Vec<usize>,
    samples: usize,
    size: usize,
    seed: u64,
}

impl Batches {
    /// Batches of `size` of the samples `0..samples`; the last of an epoch is smaller where they do not divide.
    ///
    /// # Errors
    ///
    /// [`DataError::BatchSize`] and [`DataError::EpochSize`] when one of the two is zero; the latter also when memory has no
    /// room for the order of so many samples, a `usize` for each.
    pub fn new(samples: usize, size: usize, seed: u64) -> Result<Self, DataError> {
        if size == 0 {
            return Err(DataError::BatchSize);
        }
        let mut order = Vec::new();
        if samples == 0 || order.try_reserve_exact(samples).is_err() {
            return Err(DataError::EpochSize(samples));
        }
        Ok(Self { order, samples, size, seed })
    }

    /// Number of batches of an epoch.
    pub fn per_epoch(&self) -> usize {
        self.samples.div_ceil(self.size)
    }

    /// The batches of an epoch, counted from 0, as indices of samples.
    pub fn epoch(&mut self, epoch: u64) -> Chunks<'_, usize> {
        shuffled(self.seed, epoch, self.samples, &mut self.order);
        self.order.chunks(self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_has_each_sample_once() {
        let mut batches = Batches::new(100, 7, 3).unwrap();
        for epoch in 0..3 {
            let mut all = batches.epoch(epoch).flatten().copied().collect::<Vec<_>>();
            assert_ne!(all, (0..100).collect::<Vec<_>>());
            all.sort_unstable();
            assert!(all.into_iter().eq(0..100));
        }
    }

    #[test]
    fn a_resumed_training_sees_the_same_batches() {
        let mut batches = Batches::new(20, 4, 3).unwrap();
        let mut epoch = |epoch| batches.epoch(epoch).flatten().copied().collect::<Vec<_>>();
        let (first, second) = (epoch(0), epoch(1));
        assert_ne!(first, second);
        assert_eq!(Batches::new(20, 4, 3).unwrap().epoch(1).flatten().copied().collect::<Vec<_>>(), second);
        assert_eq!(epoch(0), first);
        assert_ne!(Batches::new(20, 4, 4).unwrap().epoch(0).flatten().copied().collect::<Vec<_>>(), first);
    }
}
