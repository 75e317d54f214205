//! Copies that put values where the tile wants them: panels of columns, and maps with zeros around.

use super::VECTORS;
use crate::kernel::geometry::Map;
use crate::kernel::isa::{Isa, Kernel, Simd};

/// A matrix `[k][n]` somewhere in memory: the place of `(k, n)` is the place of `k` plus `n * column_step`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix {
    /// The place of `(0, 0)`.
    pub(crate) start: usize,
    pub(crate) count: [usize; 3],
    /// Three nested loops over `k`; a filter may be walked backwards.
    pub(crate) step: [isize; 3],
    pub(crate) columns: usize,
    /// If it is not 1, the innermost loop over `k` has to have steps of 1.
    pub(crate) column_step: usize,
}

impl Matrix {
    pub(crate) fn depth(&self) -> usize {
        self.count[0] * self.count[1] * self.count[2]
    }

    fn place(&self, k0: usize, k1: usize, k2: usize) -> usize {
        let [s0, s1, s2] = self.step;
        (self.start as isize + k0 as isize * s0 + k1 as isize * s1 + k2 as isize * s2) as usize
    }
}

/// How many panels `columns` are cut into.
pub(crate) fn panels<S: Simd>(columns: usize) -> usize {
    columns.div_ceil(VECTORS * S::LANES)
}

/// [`panels`] of an instruction set.
pub(crate) fn panel_count(isa: Isa, columns: usize) -> usize {
    struct Panels(usize);
    impl Kernel for Panels {
        type Output = usize;
        #[inline(always)]
        fn run<S: Simd>(self, _: S) -> usize {
            panels::<S>(self.0)
        }
    }
    isa.run(Panels(columns))
}

/// The first column of a panel, how many it has, and how many it is padded to.
pub(crate) fn panel<S: Simd>(columns: usize, index: usize) -> (usize, usize, usize) {
    let first = index * VECTORS * S::LANES;
    let count = (columns - first).min(VECTORS * S::LANES);
    (first, count, count.next_multiple_of(S::LANES))
}

/// Steps of the depth that are transposed at a time: a cache line.
const BLOCK: usize = 16;

/// Packs one panel as `[k][width]`, with zeros behind the last column.
pub(crate) fn pack<S: Simd>(simd: S, values: &[f32], matrix: &Matrix, index: usize, packed: &mut [f32]) {
    simd.run(Panel { values, matrix, index, packed });
}

struct Panel<'a> {
    values: &'a [f32],
    matrix: &'a Matrix,
    index: usize,
    packed: &'a mut [f32],
}

impl Kernel for Panel<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { values, matrix, index, packed } = self;
        let (first, count, width) = panel::<S>(matrix.columns, index);
        let last = count - (width - S::LANES);
        let [c0, c1, c2] = matrix.count;
        let mut row = 0;
        for k0 in 0..c0 {
            for k1 in 0..c1 {
                if matrix.column_step == 1 {
                    for k2 in 0..c2 {
                        let place = matrix.place(k0, k1, k2) + first;
                        let from = values[place..place + count].as_ptr();
                        let to = packed[row * width..(row + 1) * width].as_mut_ptr();
                        row += 1;
                        // SAFETY: `from` has `count` values and `to` has `width`, which are one or two vectors; the last
                        // vector has `last` columns.
                        unsafe {
                            if width > S::LANES {
                                simd.store(to, simd.load(from));
                            }
                            let end = width - S::LANES;
                            simd.store(to.add(end), simd.load_some(from.add(end), last));
                        }
                    }
                } else {
                    // A transposition, cache line by cache line, because rows of a large weight evict one another.
                    for k in (0..c2).step_by(BLOCK) {
                        let block = &mut packed[row * width..(row + BLOCK.min(c2 - k)) * width];
                        for n in 0..count {
                            let place = matrix.place(k0, k1, k) + (first + n) * matrix.column_step;
                            let line = &values[place..place + block.len() / width];
                            for (row, value) in block.chunks_exact_mut(width).zip(line) {
                                row[n] = *value;
                            }
                        }
                        for row in block.chunks_exact_mut(width) {
                            row[count..].fill(0.0);
                        }
                        row += BLOCK.min(c2 - k);
                    }
                }
            }
        }
    }
}

/// A rectangle of a map, which may reach over its border: rows and columns from `start`, `size` of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rectangle {
    pub(crate) start: [isize; 2],
    pub(crate) size: [usize; 2],
}

impl Rectangle {
    /// Whether all of it lies in a map of this size.
    pub(crate) const fn lies_in(&self, map: [usize; 2]) -> bool {
        self.start[0] >= 0
            && self.start[1] >= 0
            && self.start[0] as usize + self.size[0] <= map[0]
            && self.start[1] as usize + self.size[1] <= map[1]
    }
}

/// Copies a rectangle of a map, with zeros for what is not in it; cells of the copy are `step` values apart, and between
/// them lies anything.
pub(crate) fn copy_padded(values: &[f32], map: Map, rectangle: Rectangle, step: usize, copy: &mut [f32]) {
    let Map { size: [height, width], channels, stride } = map;
    let [first_row, first_column] = rectangle.start;
    // Columns of the rectangle that lie in the map.
    let left = (-first_column).clamp(0, rectangle.size[1] as isize) as usize;
    let right = (width as isize - first_column).clamp(left as isize, rectangle.size[1] as isize) as usize;
    for (row, copy) in copy.chunks_exact_mut(rectangle.size[1] * step).take(rectangle.size[0]).enumerate() {
        let row = first_row + row as isize;
        if row < 0 || row >= height as isize || left == right {
            copy.fill(0.0);
            continue;
        }
        let start = (row as usize * width + (first_column + left as isize) as usize) * stride;
        copy[..left * step].fill(0.0);
        let inside = &mut copy[left * step..right * step];
        if map.is_dense() && step == channels {
            inside.copy_from_slice(&values[start..start + (right - left) * channels]);
        } else {
            let cells = values[start..].chunks(stride);
            let cells = inside.chunks_exact_mut(step).zip(cells);
            cells.for_each(|(to, from)| to[..channels].copy_from_slice(&from[..channels]));
        }
        copy[right * step..].fill(0.0);
    }
}
