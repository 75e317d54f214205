//! Tiles, to the points and back, along both axes.

use super::transform::{self, CELLS, POINTS, TAPS};
use crate::kernel::isa::{Kernel, Simd};
use crate::kernel::tile::Finish;

/// What is known at the points: `SIDE` values along an axis become six.
pub(super) trait Transform<const SIDE: usize> {
    fn transform<S: Simd>(simd: S, values: [S::Vector; SIDE]) -> [S::Vector; POINTS];
}

/// Cells of the source.
pub(super) struct OfSource;

/// Taps of a filter.
pub(super) struct OfFilter;

/// Cells of the target's gradient.
pub(super) struct OfGradient;

impl Transform<POINTS> for OfSource {
    #[inline(always)]
    fn transform<S: Simd>(simd: S, values: [S::Vector; POINTS]) -> [S::Vector; POINTS] {
        transform::source(simd, values)
    }
}

impl Transform<TAPS> for OfFilter {
    #[inline(always)]
    fn transform<S: Simd>(simd: S, values: [S::Vector; TAPS]) -> [S::Vector; POINTS] {
        transform::filter(simd, values)
    }
}

impl Transform<CELLS> for OfGradient {
    #[inline(always)]
    fn transform<S: Simd>(simd: S, values: [S::Vector; CELLS]) -> [S::Vector; POINTS] {
        transform::gradient(simd, values)
    }
}

/// A square of values, to all points.
pub(super) struct ToPoints<'a, const SIDE: usize> {
    /// Where the values of its cells are.
    pub(super) cells: &'a [[*const f32; SIDE]; SIDE],
    pub(super) len: usize,
    /// Where they go at the first point: blocks of `block` values, a whole number of vectors, `block_step` apart.
    pub(super) to: *mut f32,
    pub(super) point_step: usize,
    pub(super) block: usize,
    pub(super) block_step: usize,
}

impl<const SIDE: usize> ToPoints<'_, SIDE> {
    /// # Safety
    /// All cells have `len` values, and there is room for as many vectors at each point, which are the caller's alone.
    #[inline(always)]
    pub(super) unsafe fn run<S: Simd, T: Transform<SIDE>>(self, simd: S, _of: T) {
        struct Square<'a, const SIDE: usize, T>(ToPoints<'a, SIDE>, core::marker::PhantomData<T>);
        impl<const SIDE: usize, T: Transform<SIDE>> Kernel for Square<'_, SIDE, T> {
            type Output = ();
            #[inline(always)]
            fn run<S: Simd>(self, simd: S) {
                let len = self.0.len;
                let whole = len - len % S::LANES;
                // SAFETY: the outer function's caller's promise.
                unsafe {
                    for first in (0..whole).step_by(S::LANES) {
                        self.0.vector::<S, T, true>(simd, first, S::LANES);
                    }
                    if whole < len {
                        self.0.vector::<S, T, false>(simd, whole, len - whole);
                    }
                }
            }
        }
        simd.run(Square::<SIDE, T>(self, core::marker::PhantomData));
    }

    /// One vector, `WHOLE` or with `count` values and zeros behind them.
    ///
    /// # Safety
    /// As [`ToPoints::run`].
    #[inline(always)]
    unsafe fn vector<S: Simd, T: Transform<SIDE>, const WHOLE: bool>(&self, simd: S, first: usize, count: usize) {
        let mut rows = [[simd.splat(0.0); SIDE]; POINTS];
        for column in 0..SIDE {
            let mut cells = [simd.splat(0.0); SIDE];
            for (row, cell) in cells.iter_mut().enumerate() {
                let from = self.cells[row][column].wrapping_add(first);
                // SAFETY: the caller's promise.
                *cell = unsafe { if WHOLE { simd.load(from) } else { simd.load_first(from, count) } };
            }
            let points = T::transform(simd, cells);
            for (row, value) in rows.iter_mut().zip(points) {
                row[column] = value;
            }
        }
        let to = self.to.wrapping_add(first / self.block * self.block_step + first % self.block);
        for (index, row) in rows.iter().enumerate() {
            let points = T::transform(simd, *row);
            for (column, value) in points.into_iter().enumerate() {
                let to = to.wrapping_add((index * POINTS + column) * self.point_step);
                // SAFETY: the caller's promise.
                unsafe { simd.store(to, value) };
            }
        }
    }
}

/// Taps of the weight's gradient, from the products at all points.
pub(super) struct Taps {
    /// Whole vectors at the first point, and from a point to the next.
    pub(super) products: *const f32,
    pub(super) point_step: usize,
    /// `count` values for each tap, `tap_step` apart.
    pub(super) to: *mut f32,
    pub(super) tap_step: usize,
    pub(super) count: usize,
    /// Whether they are added to what is there.
    pub(super) add: bool,
}

impl Taps {
    /// Returns whether they are finite.
    ///
    /// # Safety
    /// A vector of products is in memory at each point, and `count` values at each tap, which are the caller's alone.
    #[inline(always)]
    pub(super) unsafe fn transform<S: Simd>(&self, simd: S) -> bool {
        let mut rows = [[simd.splat(0.0); POINTS]; TAPS];
        for column in 0..POINTS {
            let mut products = [simd.splat(0.0); POINTS];
            for (row, product) in products.iter_mut().enumerate() {
                let from = self.products.wrapping_add((row * POINTS + column) * self.point_step);
                // SAFETY: the caller's promise.
                *product = unsafe { simd.load(from) };
            }
            let taps = transform::taps(simd, products);
            for (row, value) in rows.iter_mut().zip(taps) {
                row[column] = value;
            }
        }
        let zero = simd.splat(0.0);
        let mut spoiled = zero;
        for (index, row) in rows.iter().enumerate() {
            let taps = transform::taps(simd, *row);
            for (column, tap) in taps.into_iter().enumerate() {
                let to = self.to.wrapping_add((index * TAPS + column) * self.tap_step);
                // SAFETY: the caller's promise.
                unsafe {
                    let tap = if self.add { simd.add(simd.load_some(to, self.count), tap) } else { tap };
                    spoiled = simd.mul_add(tap, zero, spoiled);
                    simd.store_some(to, self.count, tap);
                }
            }
        }
        !simd.any_nan(spoiled)
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
                self.finish.fused.apply(simd, cells);
                for (column, cell) in cells.iter().enumerate().take(width) {
                    simd.store_some(to.wrapping_add(column * self.step[1]), self.count, *cell);
                }
            }
        }
        true
    }
}
