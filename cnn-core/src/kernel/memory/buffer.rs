//! Aligned memory for f32, and slices cut into named parts.

use core::fmt;
use core::ops::{Deref, DerefMut};

/// Bytes of a cache line, and of an AVX-512 vector.
const LINE: usize = 64;

/// An owned run of f32 that starts on a cache line, zero at first.
#[derive(Default)]
pub struct Buffer {
    /// With room for the place where it starts.
    values: Vec<f32>,
    first: usize,
    len: usize,
}

impl Buffer {
    /// `len` zeros. The system provides memory for those that are touched, as it hands out zeros: a vector of aligned lines would
    /// be written to.
    pub fn zeros(len: usize) -> Self {
        const ROOM: usize = LINE / size_of::<f32>() - 1;
        let values = vec![0.0; len.saturating_add(ROOM)];
        let first = values.as_ptr().addr().wrapping_neg() % LINE / size_of::<f32>();
        Self { values, first, len }
    }

    /// Makes it at least so long; what it held is then lost. Allocates only to grow.
    pub fn grow(&mut self, len: usize) {
        if len > self.len() {
            *self = Self::zeros(len);
        }
    }
}

impl Clone for Buffer {
    fn clone(&self) -> Self {
        let mut clone = Self::zeros(self.len);
        clone.copy_from_slice(self);
        clone
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values[self.first..][..self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values[self.first..][..self.len]
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

/// Cuts the first values into parts of these lengths.
///
/// # Panics
/// If the lengths sum to more than there is.
pub fn split<T, const N: usize>(mut values: &mut [T], lengths: [usize; N]) -> [&mut [T]; N] {
    lengths.map(|length| {
        let (part, rest) = core::mem::take(&mut values).split_at_mut(length);
        values = rest;
        part
    })
}

/// [`split`] for shared slices.
///
/// # Panics
/// If the lengths sum to more than there is.
pub fn split_ref<const N: usize>(mut values: &[f32], lengths: [usize; N]) -> [&[f32]; N] {
    lengths.map(|length| {
        let (part, rest) = values.split_at(length);
        values = rest;
        part
    })
}
