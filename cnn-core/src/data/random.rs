//! The draws of this room, each from a stream of its own.

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};

/// What a stream is for, so that two uses of one seed have nothing to do with one another.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Split = 1,
    Shuffle = 2,
    Shift = 3,
}

/// Random numbers that depend on these four numbers alone.
pub(super) struct Stream(ChaCha8Rng);

impl Stream {
    pub(super) fn new(seed: u64, purpose: Purpose, epoch: u64, sample: u64) -> Self {
        let mut key = [0; 32];
        for (bytes, number) in key.chunks_exact_mut(8).zip([seed, purpose as u64, epoch, sample]) {
            bytes.copy_from_slice(&number.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Evenly from `0..bound`.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let bound = bound as u64;
        // The numbers that are left over when all are dealt out to `bound` places would favour the first places.
        let even = u64::MAX - u64::MAX % bound;
        loop {
            let number = self.0.next_u64();
            if number < even {
                return (number % bound) as usize;
            }
        }
    }

    /// Fisher and Yates: every order is as likely as any other.
    pub(super) fn shuffle(&mut self, values: &mut [usize]) {
        for last in (1..values.len()).rev() {
            values.swap(last, self.below(last + 1));
        }
    }
}
