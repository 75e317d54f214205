//! One batch from its number, on whichever thread.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::loaded::{Contents, Pool};
use super::order::Order;
use super::{LoaderOptions, Mixing};
use crate::data::{DataError, Dataset, Draw, Target};
use crate::shape::Shape;

/// Targets of a batch before they are mixed.
pub(super) type TargetsOf<D> = <<D as Dataset>::Target as Target>::Batch;
/// Targets of a batch that is loaded.
pub type MixedOf<D, M> = <M as Mixing<<D as Dataset>::Input, TargetsOf<D>>>::Targets;
pub(super) type ContentsOf<D, M> = Contents<<D as Dataset>::Input, MixedOf<D, M>>;

/// A pass over an epoch. One that was given up has another number than the one that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pass {
    pub(super) epoch: u64,
    pub(super) number: u64,
    pub(super) shards: Shards,
}

/// Which batches a pass takes: of every so many some that lie one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shards {
    pub(super) first: usize,
    pub(super) own: usize,
    pub(super) of: usize,
}

impl Shards {
    /// Every batch.
    pub(super) const ALL: Self = Self { first: 0, own: 1, of: 1 };

    /// The batch that is taken in this place.
    fn batch(self, place: usize) -> usize {
        place / self.own * self.of + self.first + place % self.own
    }
}

/// What all threads of a loader know.
pub(super) struct Maker<D: Dataset, M: Mixing<D::Input, TargetsOf<D>>> {
    dataset: D,
    mixing: M,
    options: LoaderOptions,
    /// Of the pass that goes on. It is written when no batch is in the making.
    order: RwLock<Order>,
    /// The number of the pass that goes on.
    pass: AtomicU64,
    pub(super) pool: Pool<ContentsOf<D, M>>,
}

/// What became of a batch.
pub(super) enum Outcome<C> {
    Made(C),
    Failed(DataError),
    /// Its pass was given up.
    GivenUp,
}

impl<D: Dataset, M: Mixing<D::Input, TargetsOf<D>>> Maker<D, M> {
    pub(super) fn new(dataset: D, mixing: M, options: LoaderOptions) -> Result<Self, DataError> {
        let size = options.batch_size;
        if size == 0 {
            return Err(DataError::BatchSize);
        }
        options.sampling.validate(dataset.len())?;
        let samples = options.sampling.samples(dataset.len());
        let mut order = Order::default();
        let new = |order| Self {
            dataset,
            mixing,
            options,
            order: RwLock::new(order),
            pass: AtomicU64::new(0),
            pool: Pool::default(),
        };
        // A batch that is as large as all samples is what memory has to have room for, not one of the size that was asked for.
        let fits = order.samples.try_reserve_exact(samples).is_ok()
            && size.min(samples).checked_mul(D::Input::LEN).is_some_and(|values| values <= isize::MAX as usize / 4);
        let maker = new(order);
        if fits && maker.batches() > 0 { Ok(maker) } else { Err(DataError::EpochSize { samples, size }) }
    }

    pub(super) fn dataset(&self) -> &D {
        &self.dataset
    }

    pub(super) fn options(&self) -> &LoaderOptions {
        &self.options
    }

    fn samples(&self) -> usize {
        self.options.sampling.samples(self.dataset.len())
    }

    /// Batches of an epoch.
    pub(super) fn batches(&self) -> usize {
        let (samples, size) = (self.samples(), self.options.batch_size);
        if self.options.drop_last { samples / size } else { samples.div_ceil(size) }
    }

    fn read(&self) -> RwLockReadGuard<'_, Order> {
        self.order.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Order> {
        self.order.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives up the pass that goes on and begins another one. Waits for the sample that each thread is at.
    pub(super) fn begin(&self, epoch: u64, shards: Shards) -> Pass {
        let number = self.give_up();
        self.write().set(&self.options.sampling, self.dataset.len(), self.options.seed, epoch);
        Pass { epoch, number, shards }
    }

    /// Lets all threads stop at their next sample. Returns the number of the next pass.
    pub(super) fn give_up(&self) -> u64 {
        self.pass.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Makes the batch in this place of a pass; `targets` is memory.
    pub(super) fn make(&self, pass: Pass, place: usize, targets: &mut TargetsOf<D>) -> Outcome<ContentsOf<D, M>> {
        let mut contents = self.pool.take();
        match self.fill(pass, pass.shards.batch(place), targets, &mut contents) {
            Ok(true) => Outcome::Made(contents),
            Ok(false) => {
                self.pool.give(contents);
                Outcome::GivenUp
            }
            Err(error) => {
                self.pool.give(contents);
                Outcome::Failed(error)
            }
        }
    }

    /// Whether it came to the end of the batch.
    fn fill(
        &self,
        pass: Pass,
        number: usize,
        targets: &mut TargetsOf<D>,
        contents: &mut ContentsOf<D, M>,
    ) -> Result<bool, DataError> {
        let (order, seed, size) = (self.read(), self.options.seed, self.options.batch_size);
        // The number is read under the lock: the order is that of this pass or of one that comes later.
        if self.pass.load(Ordering::Relaxed) != pass.number {
            return Ok(false);
        }
        let first = number * size;
        let indices = &order.samples[first..first.saturating_add(size).min(order.samples.len())];
        contents.indices.clear();
        contents.indices.extend_from_slice(indices);
        contents.input.resize(indices.len());
        D::Target::start(indices.len(), targets);
        for (place, (&index, input)) in indices.iter().zip(contents.input.iter_mut()).enumerate() {
            if self.pass.load(Ordering::Relaxed) != pass.number {
                return Ok(false);
            }
            let mut draw = Draw::new(seed, pass.epoch, index, order.time(first + place));
            self.dataset.sample(index, &mut draw, input)?.put(place, targets)?;
        }
        let mut draw = Draw::of_batch(seed, pass.epoch, number);
        self.mixing.mix(&mut contents.input, targets, &mut draw, &mut contents.targets)?;
        Ok(true)
    }
}
