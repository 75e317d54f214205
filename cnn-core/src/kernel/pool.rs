//! Pooling: a window of each channel by itself. Vectors lie along the channels.
//!
//! Nothing is remembered from forward to backward: the winner of a maximum is found again, which is cheaper than writing
//! and reading its index.

pub use super::average_pool::{adaptive_average_backward, adaptive_average_forward, average_backward, average_forward};
pub use super::max_pool::{adaptive_max_backward, adaptive_max_forward, max_backward, max_forward};

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

/// Makes the values of a map zero, but not those of others between them.
pub(super) fn clear(map: Map, values: &mut [f32]) {
    if map.is_dense() {
        values.fill(0.0);
    } else {
        values.chunks_mut(map.stride).for_each(|cell| cell[..map.channels].fill(0.0));
    }
}
