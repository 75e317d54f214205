//! Windows that reach over the border, where a filter is not finite: only taps on the source are multiplied.
//!
//! Cell by cell, which is slow, in a network with other troubles. Each sum has the order of the tile's, and so the same bits.

use super::{Correlation, Filters};
use crate::kernel::isa::{Isa, Kernel, Simd};
use crate::kernel::memory::chunk::{self, Target};
use crate::kernel::tile::pack::{panel, panels};
use crate::kernel::tile::{Finish, VECTORS};

/// [`correlate`](super::correlate) without padding.
pub(super) fn correlate(
    isa: Isa,
    correlation: &Correlation,
    filters: Filters<'_>,
    bias: &[f32],
    finish: Finish,
    source: &[f32],
    target: Target,
) {
    let rows = correlation.source.samples(source.len()) * correlation.cells[0];
    let work = rows * correlation.cells[1] * correlation.depth() * correlation.columns * correlation.groups;
    chunk::for_each(rows, work, |row| {
        isa.run(Row { correlation, filters, bias, finish, source, target, row });
    });
}

/// A row of the target.
struct Row<'a> {
    correlation: &'a Correlation,
    filters: Filters<'a>,
    bias: &'a [f32],
    finish: Finish,
    source: &'a [f32],
    target: Target,
    /// Counted through all samples.
    row: usize,
}

impl Kernel for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { correlation, finish, target, .. } = self;
        let [cells, channels] = [correlation.cells[1], correlation.groups * correlation.columns];
        let [sample_step, row_step, cell_step] = correlation.target_step;
        let [sample, row] = [self.row / correlation.cells[0], self.row % correlation.cells[0]];
        for cell in 0..cells {
            for group in 0..self.correlation.groups {
                for index in 0..panels::<S>(self.correlation.columns) {
                    let (first, columns, width) = panel::<S>(self.correlation.columns, index);
                    let Self { bias, source, .. } = self;
                    let (b, b_step) = self.filters.panel::<S>(correlation, group, first, columns, width);
                    let place = [sample, row, cell];
                    let cell =
                        Cell { correlation, b, b_step, bias, finish, source, target, place, group, first, columns };
                    // SAFETY: the panel has all its steps of the depth, and this task alone writes the row.
                    unsafe { cell.compute(simd) };
                }
            }
        }
        let start = correlation.start + sample * sample_step + row * row_step;
        let first = target.pointer(start, (cells - 1) * cell_step + channels);
        // SAFETY: the target has this row, as just checked, and this task alone writes it.
        unsafe { finish.apply(simd, first, [1, 1, cells], [0, 0, cell_step], channels) };
    }
}

/// Some columns of a cell of the target: at most a panel.
pub(in super::super) struct Cell<'a> {
    pub(in super::super) correlation: &'a Correlation,
    /// Filters of these columns, whole vectors, `b_step` apart for each step of the depth.
    pub(in super::super) b: *const f32,
    pub(in super::super) b_step: usize,
    pub(in super::super) bias: &'a [f32],
    pub(in super::super) finish: Finish,
    pub(in super::super) source: &'a [f32],
    pub(in super::super) target: Target,
    /// The sample, the row and the column.
    pub(in super::super) place: [usize; 3],
    pub(in super::super) group: usize,
    /// The first column of the group, and how many.
    pub(in super::super) first: usize,
    pub(in super::super) columns: usize,
}

impl Cell<'_> {
    /// Computes them, up to a function that is not for registers.
    ///
    /// # Safety
    /// `b` is readable at every step of the depth, and nobody else uses this cell of the target.
    #[inline(always)]
    pub(in super::super) unsafe fn compute<S: Simd>(self, simd: S) {
        simd.run(self);
    }
}

impl Kernel for Cell<'_> {
    type Output = ();

    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "v indexes several arrays")]
    fn run<S: Simd>(self, simd: S) {
        let Self { correlation, b, b_step, bias, finish, source, target, group, first, columns, .. } = self;
        let [sample, row, cell] = self.place;
        let (map, group_channels) = (correlation.source, correlation.source.channels / correlation.groups);
        // Where a tap that lies on the source meets it.
        let place = |axis: usize, cell: usize, tap: usize| {
            let start = correlation.origin[axis] + (cell * correlation.step[axis]) as isize;
            (start + (tap * correlation.distance[axis]) as isize) as usize
        };
        let vectors = columns.div_ceil(S::LANES);
        let mut sums = [simd.splat(0.0); VECTORS];
        for kh in correlation.taps_on_source(0, row) {
            for kw in correlation.taps_on_source(1, cell) {
                let at = sample * map.sample_step()
                    + place(0, row, kh) * map.row_step()
                    + place(1, cell, kw) * map.stride
                    + group * group_channels;
                let tap = (kh * correlation.taps[1] + kw) * group_channels;
                for (channel, value) in source[at..at + group_channels].iter().enumerate() {
                    for v in 0..vectors {
                        // SAFETY: `compute`'s caller's promise: this is one of the steps of the depth.
                        let b = unsafe { simd.load(b.add((tap + channel) * b_step + v * S::LANES)) };
                        sums[v] = simd.mul_add(simd.splat(*value), b, sums[v]);
                    }
                }
            }
        }
        let channel = group * correlation.columns + first;
        let [sample_step, row_step, cell_step] = correlation.target_step;
        let c = correlation.start + sample * sample_step + row * row_step + cell * cell_step + channel;
        let c = target.pointer(c, columns);
        for v in 0..vectors {
            let (start, count) = (v * S::LANES, S::LANES.min(columns - v * S::LANES));
            // SAFETY: the target has `columns` values there, as just checked, which is the caller's alone.
            unsafe {
                if !bias.is_empty() {
                    let bias = bias[channel + start..][..count].as_ptr();
                    sums[v] = simd.add(sums[v], simd.load_first(bias, count));
                }
                if finish.add {
                    sums[v] = simd.add(sums[v], simd.load_first(c.add(start), count));
                }
                finish.fused.apply(simd, core::array::from_mut(&mut sums[v]));
                simd.store_first(c.add(start), count, sums[v]);
            }
        }
    }
}
