//! Pooling: a window of each channel by itself. Vectors lie along the channels.
//!
//! Nothing is remembered from forward to backward: the winner of a maximum is found again, which is cheaper than writing
//! and reading its index.

pub use super::average_pool::{adaptive_average_backward, adaptive_average_forward, average_backward, average_forward};
pub use super::max_pool::{adaptive_max_backward, adaptive_max_forward, max_backward, max_forward};

use core::ops::Range;

use super::chunk::{self, Target};
use super::geometry::Map;

/// The cells of one axis that a window meets: `first, first + step, ..`, `count` of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cells {
    pub(super) first: usize,
    pub(super) step: usize,
    pub(super) count: usize,
}

impl Cells {
    /// Those of `kernel` taps, `dilation` apart, that do not lie on the padding.
    #[inline(always)]
    pub(super) fn of_window(position: usize, [cells, kernel, stride, padding, dilation]: [usize; 5]) -> Self {
        let start = position * stride;
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
    pub(super) fn each(self) -> impl Iterator<Item = usize> + Clone {
        (0..self.count).map(move |tap| self.first + tap * self.step)
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
