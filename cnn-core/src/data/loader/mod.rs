//! Batches of a data set, made ahead on threads of their own.

mod loaded;
mod maker;
mod mix;
mod options;
mod order;
mod workers;

use core::ops::Range;
use std::fmt;
use std::sync::Arc;

pub use loaded::{Contents, Loaded};
pub use maker::MixedOf;
pub use mix::{Mix, Mixing, Unmixed};
pub use options::LoaderOptions;
pub use order::{Sampling, balanced_weights};

use super::{DataError, Dataset};
use maker::{Maker, Outcome, Shards, TargetsOf};
use workers::Workers;

/// The samples of a data set in batches, in another order in each epoch if that is wanted, decoded and transformed ahead on
/// other threads.
///
/// Which batches come depends on the data set, the options and the epoch alone, down to the last bit: not on how many
/// threads make them. So a training that was stopped goes on where it was:
///
/// ```
/// use cnn_core::data::{Class, Loader, LoaderOptions, Tensors};
/// use cnn_core::prelude::*;
///
/// let set = || Tensors::new(Batch::<Flat<2>>::zeros(10), (0..10).map(|index| Class::<10>(index)).collect());
/// let options = LoaderOptions::new(4).shuffled().seed(7);
///
/// let mut loader = Loader::new(set()?, options.clone())?;
/// let whole: Vec<_> = loader.epoch(3).map(|batch| batch.map(|batch| batch.targets.clone())).collect::<Result<_, _>>()?;
/// assert_eq!(whole.iter().map(|labels| labels.len()).collect::<Vec<_>>(), [4, 4, 2]);
///
/// // Two steps of epoch 3 were done; on other threads now.
/// let mut loader = Loader::new(set()?, options.workers(2))?;
/// let mut rest = loader.epoch_from(3, 2)?;
/// assert_eq!(rest.next().transpose()?.map(|batch| batch.targets.clone()).as_ref(), Some(&whole[2]));
/// assert!(rest.next().is_none());
/// # Ok::<(), Error>(())
/// ```
///
/// A sample that is wrong is an error in the place of its batch, in order; what comes behind it can still be loaded. A panic of
/// the data set goes on in [`Epoch::next`]. The memory of a batch is used again once it is dropped. The threads are not those
/// of rayon's pool, which is the network's; they end with the loader, or wait while no epoch goes on.
pub struct Loader<D: Dataset, M: Mixing<D::Input, TargetsOf<D>> = Unmixed> {
    /// Before the maker, so that the threads end first.
    workers: Option<Workers<D, M>>,
    maker: Arc<Maker<D, M>>,
    /// Of batches that are made on the caller's thread.
    targets: TargetsOf<D>,
}

impl<D: Dataset + Send + 'static> Loader<D> {
    /// Batches of a data set. An `Arc` of a data set is one, for those who want to keep it.
    ///
    /// # Errors
    ///
    /// [`DataError::BatchSize`] when it is zero; [`DataError::EpochSize`] when an epoch would have no batch, or more samples than memory
    /// has room for numbers of; [`DataError::Weights`]; [`DataError::Thread`] when the system gives none.
    pub fn new(dataset: D, options: LoaderOptions) -> Result<Self, DataError> {
        Self::of(Maker::new(dataset, Unmixed, options)?)
    }

    /// The same, with what is done to each whole batch at the end, such as [`Mix`].
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with<M: Mixing<D::Input, TargetsOf<D>>>(
        dataset: D,
        options: LoaderOptions,
        mixing: M,
    ) -> Result<Loader<D, M>, DataError> {
        Loader::of(Maker::new(dataset, mixing, options)?)
    }
}

impl<D: Dataset + Send + 'static, M: Mixing<D::Input, TargetsOf<D>>> Loader<D, M> {
    fn of(maker: Maker<D, M>) -> Result<Self, DataError> {
        let maker = Arc::new(maker);
        let workers = match maker.options().workers {
            0 => None,
            _ => Some(Workers::start(&maker)?),
        };
        Ok(Self { workers, maker, targets: TargetsOf::<D>::default() })
    }
}

impl<D: Dataset, M: Mixing<D::Input, TargetsOf<D>>> Loader<D, M> {
    /// The data set.
    pub fn dataset(&self) -> &D {
        self.maker.dataset()
    }

    /// Batches of an epoch, at least 1.
    pub fn batches_per_epoch(&self) -> usize {
        self.maker.batches()
    }

    /// The batches of an epoch, counted from 0.
    pub fn epoch(&mut self, epoch: u64) -> Epoch<'_, D, M> {
        self.pass(epoch, Shards::ALL, 0, self.batches_per_epoch())
    }

    /// The batches of an epoch from a batch on, counted from 0: those that a training has not seen that was stopped in the
    /// middle. Nothing of those before is made.
    ///
    /// # Errors
    ///
    /// [`DataError::NoSuchBatch`] when the epoch has less.
    pub fn epoch_from(&mut self, epoch: u64, batch: usize) -> Result<Epoch<'_, D, M>, DataError> {
        let batches = self.batches_per_epoch();
        if batch > batches {
            return Err(DataError::NoSuchBatch { batches, found: batch });
        }
        Ok(self.pass(epoch, Shards::ALL, batch, batches))
    }

    /// The batches of an epoch as shards of steps: `of` of them, one behind the other, make a step, and of each step, from a step
    /// on, counted from 0, come those in `own`. Nothing of the others is made, and those that are less than a step in the end do
    /// not come. So processes that train together (see [`backward_among`](crate::train::Training::backward_among)) take what is
    /// theirs, each with a loader of its own; all by one process are `0..of`.
    ///
    /// # Errors
    ///
    /// [`DataError::NoSuchShards`] when `own` is empty or not in `0..of`, or no step has so many; [`DataError::NoSuchBatch`] when the
    /// epoch has less steps.
    pub fn epoch_shards(
        &mut self,
        epoch: u64,
        step: usize,
        own: Range<usize>,
        of: usize,
    ) -> Result<Epoch<'_, D, M>, DataError> {
        let batches = self.batches_per_epoch();
        if own.is_empty() || own.end > of || of > batches {
            return Err(DataError::NoSuchShards { own, of, batches });
        }
        let steps = batches / of;
        if step > steps {
            return Err(DataError::NoSuchBatch { batches, found: step.saturating_mul(of) });
        }
        let shards = Shards { first: own.start, own: own.len(), of };
        Ok(self.pass(epoch, shards, step * own.len(), steps * own.len()))
    }

    fn pass(&mut self, epoch: u64, shards: Shards, first: usize, end: usize) -> Epoch<'_, D, M> {
        let pass = self.maker.begin(epoch, shards);
        if let Some(workers) = &self.workers {
            workers.begin(pass, first, end);
        }
        Epoch { pass, next: first, end, loader: self }
    }
}

/// The batches of an epoch, an iterator. When it is dropped, what is in the making is given up.
pub struct Epoch<'a, D: Dataset, M: Mixing<D::Input, TargetsOf<D>> = Unmixed> {
    loader: &'a mut Loader<D, M>,
    pass: maker::Pass,
    next: usize,
    end: usize,
}

impl<D: Dataset, M: Mixing<D::Input, TargetsOf<D>>> Iterator for Epoch<'_, D, M> {
    type Item = Result<Loaded<D::Input, MixedOf<D, M>>, DataError>;

    /// # Panics
    ///
    /// As the data set did.
    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.end {
            return None;
        }
        let number = self.next;
        self.next += 1;
        let Loader { workers, maker, targets } = &mut *self.loader;
        let outcome = match workers {
            Some(workers) => workers.take(),
            None => maker.make(self.pass, number, targets),
        };
        match outcome {
            Outcome::Made(contents) => Some(Ok(Loaded::new(contents, maker.pool.clone()))),
            Outcome::Failed(error) => Some(Err(error)),
            // Never of a pass that goes on.
            Outcome::GivenUp => None,
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.end - self.next, Some(self.end - self.next))
    }
}

impl<D: Dataset, M: Mixing<D::Input, TargetsOf<D>>> ExactSizeIterator for Epoch<'_, D, M> {}

impl<D: Dataset, M: Mixing<D::Input, TargetsOf<D>>> Drop for Epoch<'_, D, M> {
    fn drop(&mut self) {
        if let Some(workers) = &self.loader.workers {
            workers.give_up();
        }
    }
}

impl<D: Dataset, M: Mixing<D::Input, TargetsOf<D>>> fmt::Debug for Loader<D, M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = self.maker.options();
        formatter.debug_struct("Loader").field("options", options).finish_non_exhaustive()
    }
}

impl<D: Dataset, M: Mixing<D::Input, TargetsOf<D>>> fmt::Debug for Epoch<'_, D, M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pass, next, end, .. } = self;
        formatter
            .debug_struct("Epoch")
            .field("pass", pass)
            .field("next", next)
            .field("end", end)
            .finish_non_exhaustive()
    }
}
