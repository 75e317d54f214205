//! Correlation of a channels-last map with a filter bank: the forward convolution, and each phase of the backward one.

mod border;
mod filters;
mod phase;
mod run;

use crate::kernel::geometry::{Conv2dGeometry, Map};
use crate::kernel::isa::MAX_LANES;
use crate::kernel::tile::pack::Rectangle;
use core::ops::Range;

pub(super) use border::Cell;
pub(super) use filters::{Filters, backward_matrix, forward_matrix, pack_filters};
pub(super) use phase::Phase;
pub(super) use run::{COPY, correlate};

/// Which cell of a source map meets which tap for which cell of the target.
///
/// Target cell `i` of an axis is the sum over taps `t` of the source cell `origin + i * step + t * distance`, zero outside
/// the source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Correlation {
    pub(super) source: Map,
    pub(super) origin: [isize; 2],
    pub(super) step: [usize; 2],
    pub(super) taps: [usize; 2],
    pub(super) distance: [usize; 2],
    /// How many rows and columns of the target are computed.
    pub(super) cells: [usize; 2],
    /// The place of the first cell in the target, and the steps from sample to sample, row to row, column to column.
    pub(super) start: usize,
    pub(super) target_step: [usize; 3],
    pub(super) groups: usize,
    /// Columns of a group: its channels in the target.
    pub(super) columns: usize,
}

impl Correlation {
    /// The forward pass.
    pub(super) const fn forward(geometry: &Conv2dGeometry) -> Self {
        let output = geometry.output();
        Self {
            source: geometry.input(),
            origin: [-(geometry.padding.top as isize), -(geometry.padding.left as isize)],
            step: geometry.stride,
            taps: geometry.kernel_size,
            distance: geometry.dilation,
            cells: output.size,
            start: 0,
            target_step: [output.sample_step(), output.row_step(), output.stride],
            groups: geometry.groups,
            columns: geometry.out_channels / geometry.groups,
        }
    }

    /// How many pairs of phases the input's gradient has.
    pub(super) const fn phases(geometry: &Conv2dGeometry) -> usize {
        Phase::count(geometry, 0) * Phase::count(geometry, 1)
    }

    /// The cells of one pair of phases of the input's gradient, as a correlation of the output's gradient; and the phases.
    pub(super) const fn of_phase(geometry: &Conv2dGeometry, index: usize) -> (Self, [Phase; 2]) {
        let columns = Phase::count(geometry, 1);
        let vertical = Phase::new(geometry, 0, index / columns);
        let horizontal = Phase::new(geometry, 1, index % columns);
        let [rows, columns] = geometry.stride;
        let input = geometry.input();
        let correlation = Self {
            source: geometry.output(),
            origin: [vertical.origin, horizontal.origin],
            step: [1, 1],
            taps: [vertical.taps, horizontal.taps],
            distance: [vertical.distance, horizontal.distance],
            cells: [vertical.cells, horizontal.cells],
            start: vertical.first * input.row_step() + horizontal.first * input.stride,
            target_step: [input.sample_step(), rows * input.row_step(), columns * input.stride],
            groups: geometry.groups,
            columns: geometry.in_channels / geometry.groups,
        };
        (correlation, [vertical, horizontal])
    }

    /// Steps of the depth of one group.
    pub(super) const fn depth(&self) -> usize {
        self.taps[0] * self.taps[1] * (self.source.channels / self.groups)
    }

    /// Values of the packed filters, at most.
    pub(super) const fn packed_len(&self) -> usize {
        (self.groups * self.depth()).saturating_mul(self.columns.next_multiple_of(MAX_LANES))
    }

    /// Source rows and columns that this many target rows and columns read.
    const fn window(&self, rows: usize) -> [usize; 2] {
        [
            (rows - 1) * self.step[0] + self.taps[0].saturating_sub(1) * self.distance[0] + 1,
            (self.cells[1] - 1) * self.step[1] + self.taps[1].saturating_sub(1) * self.distance[1] + 1,
        ]
    }

    /// The taps of an axis that lie on the source for this cell of the target.
    #[inline(always)]
    pub(super) fn taps_on_source(&self, axis: usize, cell: usize) -> Range<usize> {
        let distance = self.distance[axis].max(1);
        let start = self.origin[axis] + (cell * self.step[axis]) as isize;
        let size = self.source.size[axis] as isize;
        let reach = (self.taps[axis].saturating_sub(1) * distance) as isize;
        if start >= 0 && start + reach < size {
            return 0..self.taps[axis];
        }
        let first = if start < 0 { (-start) as usize } else { 0 }.div_ceil(distance);
        let end = if size > start { ((size - start) as usize).div_ceil(distance) } else { 0 };
        first..end.clamp(first, self.taps[axis].max(first))
    }

    /// Whether windows reach over the border of the source, so that tasks work on padded copies.
    const fn reaches_over(&self) -> bool {
        let window = Rectangle { start: self.origin, size: self.window(self.cells[0]) };
        self.taps[0] * self.taps[1] > 0 && !window.lies_in(self.source.size)
    }
}
