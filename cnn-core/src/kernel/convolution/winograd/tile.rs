//! A tile: 6x6 cells of the source to the points, and the products at the points to 4x4 cells of the target.

use super::product::CHAIN;
use super::transform::{self, CELLS, POINTS, TAPS};
use crate::kernel::isa::{Kernel, Simd};
use crate::kernel::tile::Finish;

/// A tile of the source, transformed for all points.
pub(super) struct Source<'a> {
    /// Where its cells are: rows of six.
    pub(super) cells: &'a [*const f32; POINTS * POINTS],
    pub(super) channels: usize,
    /// The tile's row at the first point: `[blocks of CHAIN channels][point][rows][CHAIN]`.
    pub(super) to: *mut f32,
    pub(super) point_step: usize,
    pub(super) block_step: usize,
}

impl Source<'_> {
    /// # Safety
    /// All cells have `channels` values, and rows of `to` are the caller's alone.
    #[inline(always)]
    pub(super) unsafe fn transform<S: Simd>(self, simd: S) {
        simd.run(self);
    }
}

impl Kernel for Source<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let whole = self.channels - self.channels % S::LANES;
        // SAFETY: `transform`'s caller's promise.
        unsafe {
            for first in (0..whole).step_by(S::LANES) {
                self.vector::<S, true>(simd, first, S::LANES);
            }
            if whole < self.channels {
                self.vector::<S, false>(simd, whole, self.channels - whole);
            }
        }
    }
}

impl Source<'_> {
    /// One vector of channels, `WHOLE` or with `count` channels.
    ///
    /// # Safety
    /// As [`Source::transform`].
    #[inline(always)]
    unsafe fn vector<S: Simd, const WHOLE: bool>(&self, simd: S, first: usize, count: usize) {
        let mut rows = [[simd.splat(0.0); POINTS]; POINTS];
        for column in 0..POINTS {
            let mut cells = [simd.splat(0.0); POINTS];
            for (row, cell) in cells.iter_mut().enumerate() {
                let from = self.cells[row * POINTS + column].wrapping_add(first);
                // SAFETY: the caller's promise.
                *cell = unsafe { if WHOLE { simd.load(from) } else { simd.load_first(from, count) } };
            }
            let points = transform::source(simd, cells);
            for (row, value) in rows.iter_mut().zip(points) {
                row[column] = value;
            }
        }
        let to = self.to.wrapping_add(first / CHAIN * self.block_step + first % CHAIN);
        for (index, row) in rows.iter().enumerate() {
            let points = transform::source(simd, *row);
            for (column, value) in points.into_iter().enumerate() {
                let to = to.wrapping_add((index * POINTS + column) * self.point_step);
                // SAFETY: the caller's promise: rows of a chain have room for whole vectors.
                unsafe { simd.store(to, value) };
            }
        }
    }
}

/// Filters of some channels, a panel of them, transformed for all points.
pub(super) struct Filters {
    /// `[tap][..][width]`, taps `tap_step` apart.
    pub(super) from: *const f32,
    pub(super) tap_step: usize,
    /// `[point][..][width]`, points `point_step` apart.
    pub(super) to: *mut f32,
    pub(super) point_step: usize,
    /// Values at each tap, whole vectors.
    pub(super) len: usize,
}

impl Filters {
    /// # Safety
    /// All values are in memory, and those of `to` are the caller's alone.
    #[inline(always)]
    pub(super) unsafe fn transform<S: Simd>(self, simd: S) {
        simd.run(self);
    }
}

impl Kernel for Filters {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for first in (0..self.len).step_by(S::LANES) {
            let mut rows = [[simd.splat(0.0); TAPS]; POINTS];
            for column in 0..TAPS {
                let mut taps = [simd.splat(0.0); TAPS];
                for (row, tap) in taps.iter_mut().enumerate() {
                    let from = self.from.wrapping_add((row * TAPS + column) * self.tap_step + first);
                    // SAFETY: `transform`'s caller's promise.
                    *tap = unsafe { simd.load(from) };
                }
                let points = transform::filter(simd, taps);
                for (row, value) in rows.iter_mut().zip(points) {
                    row[column] = value;
                }
            }
            for (index, row) in rows.iter().enumerate() {
                let points = transform::filter(simd, *row);
                for (column, value) in points.into_iter().enumerate() {
                    let to = self.to.wrapping_add((index * POINTS + column) * self.point_step + first);
                    // SAFETY: `transform`'s caller's promise.
                    unsafe { simd.store(to, value) };
                }
            }
        }
    }
}

/// A vector of columns of a tile of the target.
pub(super) struct Target<'a> {
    /// The products at the first point, and from a point to the next.
    pub(super) products: *const f32,
    pub(super) point_step: usize,
    /// Where its first cell goes, and the steps from row to row and from column to column.
    pub(super) to: *mut f32,
    pub(super) step: [usize; 2],
    /// How many rows and columns of cells there are.
    pub(super) size: [usize; 2],
    /// A value for each column of the vector to add, or nothing.
    pub(super) bias: Option<&'a [f32]>,
    pub(super) count: usize,
    pub(super) finish: Finish,
}

impl Target<'_> {
    /// Transforms and stores it, or does nothing and returns false if it is not finite.
    ///
    /// # Safety
    /// All products are in memory, and the tile's cells of the target too, which are the caller's alone.
    #[inline(always)]
    pub(super) unsafe fn transform<S: Simd>(self, simd: S) -> bool {
        simd.run(self)
    }
}

impl Kernel for Target<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> bool {
        let mut rows = [[simd.splat(0.0); POINTS]; CELLS];
        for column in 0..POINTS {
            let mut products = [simd.splat(0.0); POINTS];
            for (row, product) in products.iter_mut().enumerate() {
                let from = self.products.wrapping_add((row * POINTS + column) * self.point_step);
                // SAFETY: `transform`'s caller's promise.
                *product = unsafe { simd.load(from) };
            }
            let cells = transform::target(simd, products);
            for (row, value) in rows.iter_mut().zip(cells) {
                row[column] = value;
            }
        }
        let mut cells = [[simd.splat(0.0); CELLS]; CELLS];
        for (cells, row) in cells.iter_mut().zip(&rows) {
            *cells = transform::target(simd, *row);
        }
        // Zero times a number is zero, and zero times anything else is NaN.
        let zero = simd.splat(0.0);
        let mut spoiled = zero;
        for cell in cells.as_flattened() {
            spoiled = simd.mul_add(*cell, zero, spoiled);
        }
        if simd.any_nan(spoiled) {
            return false;
        }
        let [height, width] = self.size;
        // SAFETY: `transform`'s caller's promise.
        unsafe {
            if let Some(bias) = self.bias {
                let bias = simd.load_some(bias.as_ptr(), self.count);
                for cell in cells.as_flattened_mut() {
                    *cell = simd.add(*cell, bias);
                }
            }
            for (row, cells) in cells.iter_mut().enumerate().take(height) {
                let to = self.to.wrapping_add(row * self.step[0]);
                if self.finish.add {
                    for (column, cell) in cells.iter_mut().enumerate().take(width) {
                        let before = simd.load_some(to.wrapping_add(column * self.step[1]), self.count);
                        *cell = simd.add(*cell, before);
                    }
                }
                self.finish.rectifier.apply(simd, cells);
                for (column, cell) in cells.iter().enumerate().take(width) {
                    simd.store_some(to.wrapping_add(column * self.step[1]), self.count, *cell);
                }
            }
        }
        true
    }
}
