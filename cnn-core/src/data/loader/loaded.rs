use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::shape::Shape;
use crate::tensor::Batch;

/// What a batch holds.
#[derive(Clone, Debug, Default)]
pub struct Contents<S: Shape, T> {
    /// What a network reads, `[n, S]`.
    pub input: Batch<S>,
    /// What belongs to it, as losses take it.
    pub targets: T,
    /// The numbers of the samples in the data set.
    pub indices: Vec<usize>,
}

/// Memory of batches that nobody uses at the moment.
pub(super) struct Pool<T>(Arc<Mutex<Vec<T>>>);

impl<T> Clone for Pool<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Default> Pool<T> {
    fn all(&self) -> MutexGuard<'_, Vec<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take(&self) -> T {
        self.all().pop().unwrap_or_default()
    }

    pub(super) fn give(&self, memory: T) {
        self.all().push(memory);
    }
}

/// A batch of a [`Loader`](super::Loader): its [`Contents`], by their names. When it is dropped, its memory is used for another.
pub struct Loaded<S: Shape, T: Default> {
    contents: Contents<S, T>,
    pool: Pool<Contents<S, T>>,
}

impl<S: Shape, T: Default> Loaded<S, T> {
    pub(super) fn new(contents: Contents<S, T>, pool: Pool<Contents<S, T>>) -> Self {
        Self { contents, pool }
    }
}

impl<S: Shape, T: Default> Drop for Loaded<S, T> {
    fn drop(&mut self) {
        self.pool.give(std::mem::take(&mut self.contents));
    }
}

impl<S: Shape, T: Default> Deref for Loaded<S, T> {
    type Target = Contents<S, T>;

    fn deref(&self) -> &Contents<S, T> {
        &self.contents
    }
}

impl<S: Shape, T: Default> DerefMut for Loaded<S, T> {
    fn deref_mut(&mut self) -> &mut Contents<S, T> {
        &mut self.contents
    }
}

impl<S: Shape, T: Default + fmt::Debug> fmt::Debug for Loaded<S, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.contents.fmt(formatter)
    }
}
