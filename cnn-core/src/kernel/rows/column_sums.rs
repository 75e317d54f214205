//! A sum over all rows for each channel.
//!
//! Rows are cut into chunks, whose sums are added in their order; blocks of rows are added up first, so that the terms of a
//! sum are few.

use super::Rows;
use super::strip::{self, Strip};
use crate::kernel::isa::{self, Kernel, Simd};
use crate::kernel::memory::chunk::{self, Target};
use core::ops::Range;

/// Chunks at most: their sums are kept.
const CHUNKS: usize = 16;
/// Values of a chunk at least.
const CHUNK: usize = 1 << 15;
/// Rows of a block.
const BLOCK: usize = 64;

/// What is summed.
pub(crate) trait Term {
    /// `sum` and what the values `a` and `b` of a row add to it.
    fn add<S: Simd>(simd: S, a: S::Vector, b: S::Vector, sum: S::Vector) -> S::Vector;
}

/// The values of `a`.
pub(crate) struct First;

impl Term for First {
    #[inline(always)]
    fn add<S: Simd>(simd: S, a: S::Vector, _: S::Vector, sum: S::Vector) -> S::Vector {
        simd.add(sum, a)
    }
}

/// Values of memory to work in.
pub(crate) const fn partials_len(channels: usize) -> usize {
    channels.saturating_mul(CHUNKS)
}

/// Sums the terms of all rows of two maps.
pub(crate) fn run<T: Term>(a: Rows<'_>, b: Rows<'_>, total: &mut [f32], partials: &mut [f32]) {
    let channels = total.len();
    let [a_map, b_map] = [a.map(channels), b.map(channels)];
    let rows = a_map.samples(a.values.len());
    assert_eq!(b_map.samples(b.values.len()), rows, "both maps have the same rows");
    let chunks = (rows * channels / CHUNK).clamp(1, CHUNKS);
    let partials = &mut partials[..chunks * channels];
    let target = Target::new(partials);
    let isa = isa::current();
    chunk::for_each(chunks, 2 * rows * channels, |chunk| {
        // SAFETY: each chunk has sums of its own.
        let sums = unsafe { target.slice(chunk * channels, channels) };
        let rows = chunk * rows / chunks..(chunk + 1) * rows / chunks;
        let [a, b] = [(a.values, a_map.stride), (b.values, b_map.stride)];
        isa.run(Sum { a, b, rows, sums, term: core::marker::PhantomData::<T> });
    });
    let (first, others) = partials.split_at(channels);
    total.copy_from_slice(first);
    for sums in others.chunks_exact(channels) {
        total.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
    }
}

struct Sum<'a, T> {
    a: (&'a [f32], usize),
    b: (&'a [f32], usize),
    rows: Range<usize>,
    sums: &'a mut [f32],
    term: core::marker::PhantomData<T>,
}

impl<T: Term> Kernel for Sum<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let channels = self.sums.len();
        // SAFETY: `run` has found these rows in both maps, and there is a sum for each channel.
        unsafe { strip::for_each(simd, channels, &mut self) };
    }
}

impl<T: Term> strip::Body for Sum<'_, T> {
    /// # Safety
    /// The rows lie in both maps, and there is a sum for each channel.
    #[inline(always)]
    unsafe fn run<S: Simd, const NV: usize>(&mut self, simd: S, strip: Strip<S, NV>, channel: usize) {
        let ((a, a_stride), (b, b_stride)) = (self.a, self.b);
        let mut total = strip.splat(0.0);
        for first in self.rows.clone().step_by(BLOCK) {
            let mut sum = strip.splat(0.0);
            for row in first..self.rows.end.min(first + BLOCK) {
                // SAFETY: the caller's promise.
                let (a, b) = unsafe {
                    (
                        strip.load(a.as_ptr().add(row * a_stride + channel)),
                        strip.load(b.as_ptr().add(row * b_stride + channel)),
                    )
                };
                for v in 0..NV {
                    sum[v] = T::add(simd, a[v], b[v], sum[v]);
                }
            }
            for v in 0..NV {
                total[v] = simd.add(total[v], sum[v]);
            }
        }
        // SAFETY: the caller's promise.
        unsafe { strip.store(self.sums.as_mut_ptr().add(channel), total) };
    }
}
