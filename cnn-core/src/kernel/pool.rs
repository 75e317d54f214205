//! Pooling: a window of each channel by itself. Vectors lie along the channels.
//!
//! Nothing is remembered from forward to backward: the winner of a maximum is found again, which is cheaper than writing
//! and reading its index.

pub use super::average_pool::{adaptive_average_backward, adaptive_average_forward, average_backward, average_forward};
pub use super::max_pool::{adaptive_max_backward, adaptive_max_forward, max_backward, max_forward};

use core::ops::Range;

use super::chunk::{self, Target};
use super::geometry::{AdaptivePool2dGeometry, Map, Pool2dGeometry};

/// The cells of one axis that a window meets: `first, first + step, ..`, `count` of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cells {
    pub(super) first: usize,
    pub(super) step: usize,
    pub(super) count: usize,
}

impl Cells {
    #[inline(always)]
    pub(super) fn each(self) -> impl Iterator<Item = usize> + Clone {
        (0..self.count).map(move |tap| self.first + tap * self.step)
    }
}

/// Which cells each output pools: one form of all poolings, so that each kernel is compiled once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Windows {
    pub(super) input: Map,
    pub(super) output: Map,
    axes: [Axis; 2],
    /// Whether an average divides by the window's positions on the padding too.
    count_include_pad: bool,
    /// What every average divides by instead.
    divisor_override: Option<usize>,
    /// Cells of a window, about.
    pub(super) cells_of_window: usize,
    /// Whether no cell is in two windows.
    pub(super) are_apart: bool,
    /// Whether each cell is in one window.
    pub(super) cover: bool,
}

#[derive(Clone, Copy, Debug)]
enum Axis {
    /// Windows of one size, in equal steps.
    Equal { cells: usize, kernel: usize, stride: usize, padding: usize, dilation: usize },
    /// Windows that share the cells among the positions.
    Adaptive { cells: usize, positions: usize },
}

impl Axis {
    #[inline(always)]
    fn cells(self, position: usize) -> Cells {
        match self {
            Self::Equal { cells, kernel, stride, padding, dilation } => {
                let start = position * stride;
                // Most windows lie on the map, and need no division.
                if start >= padding && start + (kernel - 1) * dilation < cells + padding {
                    return Cells { first: start - padding, step: dilation, count: kernel };
                }
                let skipped = padding.saturating_sub(start).div_ceil(dilation);
                let first = start + skipped * dilation;
                let end = (cells + padding).saturating_sub(first).div_ceil(dilation);
                let count = end.min(kernel.saturating_sub(skipped));
                Cells { first: first.wrapping_sub(padding), step: dilation, count }
            }
            Self::Adaptive { cells, positions } => {
                let first = position * cells / positions;
                Cells { first, step: 1, count: ((position + 1) * cells).div_ceil(positions) - first }
            }
        }
    }

    /// The window's positions on the map and its padding.
    fn padded_taps(self, position: usize) -> usize {
        match self {
            Self::Equal { cells, kernel, stride, padding, .. } => kernel.min(cells + 2 * padding - position * stride),
            Self::Adaptive { .. } => self.cells(position).count,
        }
    }
}

impl Windows {
    /// The cells of the window at this output row (`axis` 0) or column (1).
    #[inline(always)]
    pub(super) fn cells(&self, axis: usize, position: usize) -> Cells {
        self.axes[axis].cells(position)
    }

    /// What the sum of these cells, those of the window at output row and column `position`, is divided by.
    #[inline(always)]
    pub(super) fn divisor(&self, [oh, ow]: [usize; 2], rows: Cells, columns: Cells) -> usize {
        if let Some(divisor) = self.divisor_override {
            divisor
        } else if self.count_include_pad {
            self.axes[0].padded_taps(oh) * self.axes[1].padded_taps(ow)
        } else {
            rows.count * columns.count
        }
    }
}

impl From<&Pool2dGeometry> for Windows {
    fn from(geometry: &Pool2dGeometry) -> Self {
        let Pool2dGeometry { in_size, kernel_size, stride, padding, dilation, .. } = *geometry;
        let out_size = geometry.out_size();
        let axis = |axis: usize| Axis::Equal {
            cells: in_size[axis],
            kernel: kernel_size[axis],
            stride: stride[axis],
            padding: padding[axis],
            dilation: dilation[axis],
        };
        Self {
            input: geometry.input(),
            output: geometry.output(),
            axes: [axis(0), axis(1)],
            count_include_pad: geometry.count_include_pad,
            divisor_override: geometry.divisor_override,
            cells_of_window: kernel_size[0] * kernel_size[1],
            are_apart: (0..2).all(|axis| (kernel_size[axis] - 1) * dilation[axis] < stride[axis]),
            cover: (0..2).all(|axis| {
                kernel_size[axis] == stride[axis]
                    && in_size[axis] == out_size[axis] * stride[axis]
                    && dilation[axis] == 1
                    && padding[axis] == 0
            }),
        }
    }
}

impl From<&AdaptivePool2dGeometry> for Windows {
    fn from(geometry: &AdaptivePool2dGeometry) -> Self {
        let AdaptivePool2dGeometry { in_size, out_size, .. } = *geometry;
        let axis = |axis: usize| Axis::Adaptive { cells: in_size[axis], positions: out_size[axis] };
        let are_apart = (0..2).all(|axis| in_size[axis].is_multiple_of(out_size[axis]));
        Self {
            input: geometry.input(),
            output: geometry.output(),
            axes: [axis(0), axis(1)],
            count_include_pad: false,
            divisor_override: None,
            cells_of_window: (geometry.input().cells() / geometry.output().cells()).max(1),
            are_apart,
            cover: are_apart,
        }
    }
}

/// Values that a piece of work touches, at least.
const PIECE: usize = 1 << 14;

/// Calls `body` with pieces of `items` (samples, or rows of all samples): the first one, and the part of `target` that
/// holds them. Each item has `len` values there, the last maybe fewer, and costs about `work` values to read.
pub(super) fn for_each_part(
    items: usize,
    len: usize,
    work: usize,
    target: &mut [f32],
    body: impl Fn(usize, &mut [f32]) + Sync,
) {
    let whole = target.len();
    assert!(whole <= items * len);
    let piece = PIECE.div_ceil(work.max(1)).max(1);
    let target = Target::new(target);
    chunk::for_each(items.div_ceil(piece), 2 * items * work, |index| {
        let first = index * piece;
        let count = (piece * len).min(whole - first * len);
        // SAFETY: pieces are disjoint and end with the last item.
        body(first, unsafe { target.slice(first * len, count) });
    });
}

/// Fewer samples than this are cut into strips of channels, to have work for all threads.
const FEW: usize = 8;
/// Channels of a strip.
const STRIP: usize = 32;

/// Calls `body` with each sample of a batch and its channels, or, of few samples, each strip of them. Neither the number of
/// threads nor the strips change a result: no channel knows of another.
pub(super) fn for_each_strip(batch: usize, map: Map, body: impl Fn(usize, Range<usize>) + Sync) {
    let channels = map.channels;
    let strip = if batch < FEW { STRIP.min(channels) } else { channels };
    let strips = channels.div_ceil(strip);
    let (items, work) = (batch * strips, 2 * map.cells() * strip);
    let piece = PIECE.div_ceil(work.max(1)).max(1);
    chunk::for_each(items.div_ceil(piece), 2 * items * work, |index| {
        for item in index * piece..items.min((index + 1) * piece) {
            let first = item % strips * strip;
            body(item / strips, first..channels.min(first + strip));
        }
    });
}

/// Some channels of a sample of a map, to be written.
#[derive(Clone, Copy)]
pub(super) struct Strip {
    target: Target,
    start: usize,
    map: Map,
    count: usize,
}

impl Strip {
    pub(super) fn new(target: Target, map: Map, sample: usize, channels: &Range<usize>) -> Self {
        let (start, count) = (sample * map.sample_step() + channels.start, channels.len());
        Self { target, start, map, count }
    }

    /// A pointer to the first channel of the first cell, behind which all cells are.
    pub(super) fn pointer(self) -> *mut f32 {
        let Map { size: [height, width], stride, .. } = self.map;
        self.target.pointer(self.start, (height - 1) * self.map.row_step() + (width - 1) * stride + self.count)
    }

    /// Makes its values zero.
    ///
    /// # Safety
    /// Nothing else uses them meanwhile.
    pub(super) unsafe fn clear(self) {
        let cells = self.map.cells();
        let (cells, count) = if self.map.is_dense() && self.count == self.map.channels {
            (1, cells * self.count)
        } else {
            (cells, self.count)
        };
        for cell in 0..cells {
            // SAFETY: the caller's promise.
            unsafe { self.target.slice(self.start + cell * self.map.stride, count) }.fill(0.0);
        }
    }
}

/// Makes the values of a map zero, but not those of others between them.
pub(super) fn clear(map: Map, values: &mut [f32]) {
    if map.is_dense() {
        values.fill(0.0);
    } else {
        values.chunks_mut(map.stride).for_each(|cell| cell[..map.channels].fill(0.0));
    }
}
