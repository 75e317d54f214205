//! Memory that kernels work in, allocated before the first step and never in one.

use super::buffer::Buffer;
use super::chunk::{thread, threads};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many values a kernel works in: a constant of its geometry, whatever the batch and the number of threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Values that all threads share: packed weights, partial sums.
    pub shared: usize,
    /// Values that each thread has for itself: padded copies.
    pub per_thread: usize,
}

impl Needs {
    /// Nothing.
    pub const NONE: Self = Self { shared: 0, per_thread: 0 };

    /// What serves both, one after the other.
    pub const fn max(self, other: Self) -> Self {
        Self {
            shared: if self.shared > other.shared { self.shared } else { other.shared },
            per_thread: if self.per_thread > other.per_thread { self.per_thread } else { other.per_thread },
        }
    }
}

/// The memory itself. Its contents mean nothing between two calls.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(crate) shared: Buffer,
    slots: Slots,
}

/// One buffer a thread. A task locks the one of its thread, and as tasks do not wait for other tasks, nobody ever waits
/// for a lock.
#[derive(Debug, Default)]
pub(crate) struct Slots(Vec<Mutex<Buffer>>);

impl Scratch {
    /// Memory for kernels with these needs on this many threads.
    pub fn new(needs: Needs, threads: usize) -> Self {
        let mut scratch = Self::default();
        scratch.prepare(needs, threads);
        scratch
    }

    /// Grows to these needs, if it is smaller.
    pub fn prepare(&mut self, needs: Needs, threads: usize) {
        if self.shared.len() < needs.shared {
            self.shared = Buffer::zeros(needs.shared);
        }
        if self.slots.0.len() < threads {
            self.slots.0.resize_with(threads, Mutex::default);
        }
        for slot in &mut self.slots.0 {
            let slot = slot.get_mut().unwrap_or_else(PoisonError::into_inner);
            if slot.len() < needs.per_thread {
                *slot = Buffer::zeros(needs.per_thread);
            }
        }
    }

    /// Grows to what a kernel needs when it is called on this thread, and lends it the two kinds of memory.
    pub(crate) fn lend(&mut self, needs: Needs) -> (&mut [f32], &Slots) {
        self.prepare(needs, threads());
        (&mut self.shared, &self.slots)
    }
}

impl Slots {
    /// The buffer of the thread that a task runs on.
    pub(crate) fn own(&self) -> MutexGuard<'_, Buffer> {
        let slot = &self.0[thread()];
        // A task that panicked left numbers behind, and numbers are all that a buffer promises.
        slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
