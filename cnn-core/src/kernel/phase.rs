//! A strided convolution backwards, along one axis.
//!
//! The gradient of input cell `i` is a sum over the taps `k` whose output cell `(i + padding - k * dilation) / stride` is
//! whole. Cells `stride` apart have the same taps, so they form a phase; within one, the sum is an ordinary correlation
//! of the output's gradient with every so-manieth tap in reverse, and nothing is multiplied that is not needed.

use super::geometry::Conv2dGeometry;

/// The input cells `first, first + stride, ..` of one axis and their taps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Phase {
    /// The first input cell.
    pub(super) first: usize,
    /// How many cells.
    pub(super) cells: usize,
    /// How many taps.
    pub(super) taps: usize,
    /// The tap that meets the output cell `origin`, and how much the tap falls when the output cell rises by `distance`.
    pub(super) last_tap: usize,
    pub(super) tap_step: usize,
    /// The output cell that the first input cell reads first; it may lie before the map.
    pub(super) origin: isize,
    pub(super) distance: usize,
}

/// How many phases an axis (0 vertical, 1 horizontal) has.
pub(super) const fn count(geometry: &Conv2dGeometry, axis: usize) -> usize {
    if geometry.stride[axis] < geometry.in_size[axis] { geometry.stride[axis] } else { geometry.in_size[axis] }
}

impl Phase {
    /// The phase whose first cell is `first`, which is less than [`count`].
    pub(super) const fn new(geometry: &Conv2dGeometry, axis: usize, first: usize) -> Self {
        let (stride, dilation) = (geometry.stride[axis], geometry.dilation[axis]);
        let padding = if axis == 0 { geometry.padding.top } else { geometry.padding.left };
        let cells = (geometry.in_size[axis] - first).div_ceil(stride);
        let tap_step = stride / gcd(stride, dilation);
        let (mut taps, mut last_tap, mut tap) = (0, 0, 0);
        while tap < geometry.kernel_size[axis] {
            if (tap * dilation) % stride == (first + padding) % stride {
                (taps, last_tap) = (taps + 1, tap);
            }
            tap += 1;
        }
        let origin =
            if taps == 0 { 0 } else { ((first + padding) as isize - (last_tap * dilation) as isize) / stride as isize };
        Self { first, cells, taps, last_tap, tap_step, origin, distance: tap_step * dilation / stride }
    }
}

const fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
