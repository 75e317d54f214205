use core::ops::{Deref, Range};

use crate::data::{Contents, DataError, Dataset, Epoch, Loaded, Loader, MixedOf, Mixing, Target};
use crate::shape::Shape;

/// What gives a run its batches: a [`Loader`], or what you write in its place.
pub trait Batches {
    /// The shape of a sample.
    type Input: Shape;
    /// The targets of a batch.
    type Targets;
    /// A batch.
    type Batch: Deref<Target = Contents<Self::Input, Self::Targets>>;
    /// The batches of an epoch.
    type Epoch<'a>: Iterator<Item = Result<Self::Batch, DataError>>
    where
        Self: 'a;

    /// How many an epoch has.
    fn per_epoch(&self) -> usize;

    /// Those of an epoch, of which `of`, one behind the other, make a step: of each step, from a step on, counted from 0, those in
    /// `own`. See [`Loader::epoch_shards`]. Steps of one batch, and all of them, are `0..1` of 1.
    ///
    /// # Errors
    ///
    /// When there are not so many.
    fn from(&mut self, epoch: u64, step: usize, own: Range<usize>, of: usize) -> Result<Self::Epoch<'_>, DataError>;
}

impl<D: Dataset, M: Mixing<D::Input, <D::Target as Target>::Batch>> Batches for Loader<D, M> {
    type Input = D::Input;
    type Targets = MixedOf<D, M>;
    type Batch = Loaded<D::Input, MixedOf<D, M>>;
    type Epoch<'a>
        = Epoch<'a, D, M>
    where
        Self: 'a;

    fn per_epoch(&self) -> usize {
        self.batches_per_epoch()
    }

    fn from(&mut self, epoch: u64, step: usize, own: Range<usize>, of: usize) -> Result<Epoch<'_, D, M>, DataError> {
        self.epoch_shards(epoch, step, own, of)
    }
}
