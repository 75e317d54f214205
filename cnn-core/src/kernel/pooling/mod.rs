//! Pooling: a window of each channel by itself. Vectors lie along the channels.
//!
//! Nothing is remembered from forward to backward: the winner of a maximum is found again, which is cheaper than writing
//! and reading its index.

mod average;
mod max;

pub use average::{adaptive_average_backward, adaptive_average_forward, average_backward, average_forward};
pub use max::{adaptive_max_backward, adaptive_max_forward, max_backward, max_forward};

use core::ops::Range;

use crate::kernel::geometry::{AdaptivePool2dGeometry, Map, Pool2dGeometry};
use crate::kernel::memory::chunk::{self, Target};

/// The cells of one axis that a window meets: `first, first + step, ..`, `count` of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cells {
    pub(crate) first: usize,
    pub(crate) step: usize,
    pub(crate) count: usize,
}

impl Cells {
    /// Those of the window at this row (`axis` 0) or column (1) of the output that do not lie on the padding.
    #[inline(always)]
    fn of_window(geometry: &Pool2dGeometry, axis: usize, position: usize) -> Self {
        let Pool2dGeometry { in_size, kernel_size, stride, padding, dilation, .. } = geometry;
        let (cells, kernel, padding, dilation) = (in_size[axis], kernel_size[axis], padding[axis], dilation[axis]);
        let start = position * stride[axis];
        // Most windows lie on the map, and need no division.
        if start >= padding && start + (kernel - 1) * dilation < cells + padding {
            return Self { first: start - padding, step: dilation, count: kernel };
        }
        let skipped = padding.saturating_sub(start).div_ceil(dilation);
        let first = start + skipped * dilation;
        let end = (cells + padding).saturating_sub(first).div_ceil(dilation);
        Self { first: first.wrapping_sub(padding), step: dilation, count: end.min(kernel.saturating_sub(skipped)) }
    }

    #[inline(always)]
    pub(crate) fn each(self) -> impl Iterator<Item = usize> + Clone {
        (0..self.count).map(move |tap| self.first + tap * self.step)
    }
}

/// Which cells each output pools: one type of all poolings, so that each kernel is compiled once.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Windows {
    /// Of one size, in equal steps.
    Equal(Pool2dGeometry),
    /// That share the cells among the positions.
    Adaptive(AdaptivePool2dGeometry),
}

impl Windows {
    pub(crate) fn input(&self) -> Map {
        match self {
            Self::Equal(geometry) => geometry.input(),
            Self::Adaptive(geometry) => geometry.input(),
        }
    }

    pub(crate) fn output(&self) -> Map {
        match self {
            Self::Equal(geometry) => geometry.output(),
            Self::Adaptive(geometry) => geometry.output(),
        }
    }

    /// The cells of the window at this output row (`axis` 0) or column (1).
    #[inline(always)]
    pub(crate) fn cells(&self, axis: usize, position: usize) -> Cells {
        match self {
            Self::Equal(geometry) => Cells::of_window(geometry, axis, position),
            Self::Adaptive(geometry) => {
                let cells = geometry.cells(axis, position);
                Cells { first: cells.start, step: 1, count: cells.len() }
            }
        }
    }

    /// What the sum of these cells, those of the window at output row and column `position`, is divided by.
    #[inline(always)]
    pub(crate) fn divisor(&self, [oh, ow]: [usize; 2], rows: Cells, columns: Cells) -> usize {
        match self {
            Self::Equal(Pool2dGeometry { divisor_override: Some(divisor), .. }) => *divisor,
            Self::Equal(geometry) if geometry.count_include_pad => {
                geometry.padded_taps(0, oh) * geometry.padded_taps(1, ow)
            }
            _ => rows.count * columns.count,
        }
    }

    /// Cells of a window, about.
    pub(crate) fn cells_of_window(&self) -> usize {
        match self {
            Self::Equal(geometry) => geometry.kernel_size[0] * geometry.kernel_size[1],
            Self::Adaptive(_) => (self.input().cells() / self.output().cells()).max(1),
        }
    }

    /// Whether no cell is in two windows.
    pub(crate) fn are_apart(&self) -> bool {
        (0..2).all(|axis| match self {
            Self::Equal(Pool2dGeometry { kernel_size, stride, dilation, .. }) => {
                (kernel_size[axis] - 1) * dilation[axis] < stride[axis]
            }
            Self::Adaptive(geometry) => geometry.in_size[axis].is_multiple_of(geometry.out_size[axis]),
        })
    }

    /// Whether each cell is in one window.
    pub(crate) fn cover(&self) -> bool {
        let Self::Equal(geometry) = self else { return self.are_apart() };
        let Pool2dGeometry { in_size, kernel_size, stride, padding, dilation, .. } = geometry;
        let out_size = geometry.out_size();
        (0..2).all(|axis| {
            kernel_size[axis] == stride[axis]
                && in_size[axis] == out_size[axis] * stride[axis]
                && dilation[axis] == 1
                && padding[axis] == 0
        })
    }
}

/// Fewer samples than this are cut into strips of channels, to have work for all threads.
const FEW: usize = 8;
/// Channels of a strip.
const STRIP: usize = 32;

/// Calls `body` with each sample of a batch and its channels, or, of few samples, each strip of them; and with a pointer to
/// the first of them in the sample's first cell in `target`, behind which they lie in all its cells, and which nothing else
/// writes to. They are made zero before where `clear`.
///
/// Neither the number of threads nor the strips change a result: no channel knows of another.
pub(crate) fn for_each_strip(
    batch: usize,
    map: Map,
    target: &mut [f32],
    clear: bool,
    body: impl Fn(usize, Range<usize>, *mut f32) + Sync,
) {
    let channels = map.channels;
    let strip = if batch < FEW { STRIP.min(channels) } else { channels };
    let strips = channels.div_ceil(strip);
    let (items, work) = (batch * strips, 2 * map.cells() * strip);
    let piece = chunk::PIECE.div_ceil(work.max(1)).max(1);
    let target = Target::new(target);
    chunk::for_each(items.div_ceil(piece), 2 * items * work, |index| {
        for item in index * piece..items.min((index + 1) * piece) {
            let (sample, first) = (item / strips, item % strips * strip);
            let count = strip.min(channels - first);
            let (start, len) = (sample * map.sample_step() + first, (map.cells() - 1) * map.stride + count);
            if clear {
                let (runs, run) = if count == map.stride { (1, len) } else { (map.cells(), count) };
                for cell in 0..runs {
                    // SAFETY: strips are disjoint, and each is one task's.
                    unsafe { target.slice(start + cell * map.stride, run) }.fill(0.0);
                }
            }
            body(sample, first..first + count, target.pointer(start, len));
        }
    });
}
