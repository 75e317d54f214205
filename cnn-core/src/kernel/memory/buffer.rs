//! Aligned memory for f32, and slices cut into named parts.

use core::fmt;
use core::ops::{Deref, DerefMut};

/// One cache line and one AVX-512 vector.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; Line::LEN]);

impl Line {
    const LEN: usize = 16;
}

/// An owned run of f32 that starts on a cache line, zero at first.
#[derive(Clone, Default)]
pub struct Buffer {
    lines: Vec<Line>,
    len: usize,
}

impl Buffer {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        Self { lines: vec![Line([0.0; Line::LEN]); len.div_ceil(Line::LEN)], len }
    }

    /// Makes it at least so long; what it held is then lost. Allocates only to grow.
    pub fn grow(&mut self, len: usize) {
        if len > self.len() {
            *self = Self::zeros(len);
        }
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: `lines` holds at least `len` initialised f32 one behind the other: a `Line` is an array without gaps.
        unsafe { core::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `deref`, and borrowed mutably.
        unsafe { core::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
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
