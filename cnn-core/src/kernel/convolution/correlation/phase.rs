//! A strided convolution backwards, along one axis.
//!
//! The gradient of input cell `i` is a sum over the taps `k` whose output cell `(i + padding - k * dilation) / stride` is
//! whole. Cells `stride` apart have the same taps, so they form a phase; within one, the sum is an ordinary correlation
//! of the output's gradient with every so-manieth tap in reverse, and nothing is multiplied that is not needed.

use crate::kernel::geometry::Conv2dGeometry;

/// The input cells `first, first + stride, ..` of one axis and their taps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Phase {
    /// The first input cell.
    pub(in super::super) first: usize,
    /// How many cells.
    pub(in super::super) cells: usize,
    /// How many taps.
    pub(in super::super) taps: usize,
    /// The tap that meets the output cell `origin`, and how much the tap falls when the output cell rises by `distance`.
    pub(in super::super) last_tap: usize,
    pub(in super::super) tap_step: usize,
    /// The output cell that the first input cell reads first; it may lie before the map.
    pub(in super::super) origin: isize,
    pub(in super::super) distance: usize,
}

impl Phase {
    /// How many phases an axis (0 vertical, 1 horizontal) has.
    pub(super) const fn count(geometry: &Conv2dGeometry, axis: usize) -> usize {
        if geometry.stride[axis] < geometry.in_size[axis] { geometry.stride[axis] } else { geometry.in_size[axis] }
    }

    /// How much the tap falls from an output cell of a phase to the next one that it meets, and how far that is.
    pub(in super::super) const fn steps(geometry: &Conv2dGeometry, axis: usize) -> [usize; 2] {
        let (stride, dilation) = (geometry.stride[axis], geometry.dilation[axis]);
        let common = gcd(stride, dilation);
        [stride / common, dilation / common]
    }

    /// The phase whose first cell is `first`, which is less than [`Phase::count`].
    pub(super) const fn new(geometry: &Conv2dGeometry, axis: usize, first: usize) -> Self {
        let (kernel, stride, dilation) = (geometry.kernel_size[axis], geometry.stride[axis], geometry.dilation[axis]);
        let padding = if axis == 0 { geometry.padding.top } else { geometry.padding.left };
        let cells = (geometry.in_size[axis] - first).div_ceil(stride);
        let [tap_step, distance] = Self::steps(geometry, axis);
        // The taps `k` of which `k * dilation` leaves the same remainder as the cell: every `tap_step`-th from the first.
        let first_tap = match solve(dilation, (first + padding) % stride, stride) {
            Some(tap) if tap < kernel => tap,
            _ => return Self { first, cells, taps: 0, last_tap: 0, tap_step, origin: 0, distance },
        };
        let taps = (kernel - first_tap).div_ceil(tap_step);
        let last_tap = first_tap + (taps - 1) * tap_step;
        let origin = ((first + padding) as isize - (last_tap * dilation) as isize) / stride as isize;
        Self { first, cells, taps, last_tap, tap_step, origin, distance }
    }
}

/// The least `x` with `x * factor = remainder` modulo `modulus`, by Euclid's algorithm: a constant of a network must not
/// count to a stride.
const fn solve(factor: usize, remainder: usize, modulus: usize) -> Option<usize> {
    // Each `value` is `times * factor` modulo `modulus`.
    let (mut value, mut times) = (modulus as i128, 0);
    let (mut next, mut next_times) = ((factor % modulus) as i128, 1);
    while next != 0 {
        let whole = value / next;
        (value, next) = (next, value - whole * next);
        (times, next_times) = (next_times, times - whole * next_times);
    }
    if remainder as i128 % value != 0 {
        return None;
    }
    Some((remainder as i128 / value * times).rem_euclid(modulus as i128 / value) as usize)
}

const fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_tap_is_the_first_that_counting_finds() {
        for modulus in 1..13 {
            for factor in 1..26 {
                for remainder in 0..modulus {
                    let counted = (0..modulus).find(|x| x * factor % modulus == remainder);
                    assert_eq!(solve(factor, remainder, modulus), counted, "{factor} {remainder} {modulus}");
                }
            }
        }
        assert_eq!(solve(usize::MAX - 1, 7, usize::MAX), Some(usize::MAX - 7));
    }
}
