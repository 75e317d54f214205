use super::Sampling;

/// How a [`Loader`](super::Loader) makes batches.
#[derive(Clone, Debug, PartialEq)]
pub struct LoaderOptions {
    pub(super) batch_size: usize,
    pub(super) sampling: Sampling,
    pub(super) seed: u64,
    pub(super) drop_last: bool,
    pub(super) workers: usize,
    pub(super) prefetch: Option<usize>,
}

impl LoaderOptions {
    /// Batches of so many samples in the order of the data set, made when they are asked for on the thread that asks.
    pub fn new(batch_size: usize) -> Self {
        Self { batch_size, sampling: Sampling::Sequential, seed: 0, drop_last: false, workers: 0, prefetch: None }
    }

    /// All samples in another random order in each epoch.
    #[must_use]
    pub fn shuffled(self) -> Self {
        self.sampling(Sampling::Shuffled)
    }

    /// Which samples an epoch takes.
    #[must_use]
    pub fn sampling(self, sampling: Sampling) -> Self {
        Self { sampling, ..self }
    }

    /// Decides the order and all that is random in the samples.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Leaves out the last batch of an epoch if it is smaller than the others, PyTorch's `drop_last`. Otherwise it is kept.
    #[must_use]
    pub fn drop_last(self) -> Self {
        Self { drop_last: true, ..self }
    }

    /// Makes batches ahead on so many threads of its own, PyTorch's `num_workers`; 0 on the thread that asks. They change no
    /// bit.
    #[must_use]
    pub fn workers(self, workers: usize) -> Self {
        Self { workers, ..self }
    }

    /// How many batches may be ready or in the making at a time; without it, two for each worker.
    #[must_use]
    pub fn prefetch(self, batches: usize) -> Self {
        Self { prefetch: Some(batches), ..self }
    }

    /// See [`prefetch`](Self::prefetch).
    pub(super) fn ahead(&self) -> usize {
        self.prefetch.unwrap_or(2 * self.workers).max(1)
    }
}
