//! Local response normalization: each value is divided by a power of the squares of the channels around it.
//! <https://pytorch.org/docs/stable/generated/torch.nn.LocalResponseNorm.html>

use crate::kernel::Write;
use crate::kernel::geometry::LocalResponseNormGeometry;
use crate::kernel::isa::{self, Kernel, MAX_LANES, Simd, vectors};
use crate::kernel::memory::chunk::{self, Target};
use crate::kernel::memory::scratch::{Needs, Scratch};
use crate::kernel::rows::Rows;
use crate::shape::window;
use core::ops::Range;

/// Values of a piece of work; a power costs some twenty others.
const PIECE: usize = 1 << 11;

impl LocalResponseNormGeometry {
    /// What [`forward`] and [`backward`] work in: two rows between zeros.
    pub const fn needs(&self) -> Needs {
        Needs { shared: 0, per_thread: self.padded().saturating_mul(2) }
    }

    /// Values of a row between zeros, as far as the windows reach, and vectors behind their last.
    const fn padded(&self) -> usize {
        let [before, behind] = self.around();
        let reach = window::sum(window::sum(before, behind), MAX_LANES + 1);
        window::product(2, window::sum(self.channels, reach)) / 2
    }

    /// Channels that count before and behind their own. Of an even `size` PyTorch has one more before it. Those beyond the
    /// first and the last channel are zeros, and more of them than there are channels nobody needs to add.
    const fn around(&self) -> [usize; 2] {
        assert!(self.size > 0, "a mean has a channel at least");
        let (before, behind) = (self.size / 2, (self.size - 1) / 2);
        [
            if before < self.channels { before } else { self.channels },
            if behind < self.channels { behind } else { self.channels },
        ]
    }
}

/// input `[.., c]` -> output `[.., c]`.
#[inline]
pub fn forward(geometry: &LocalResponseNormGeometry, input: &[f32], output: &mut [f32], scratch: &mut Scratch) {
    let rows = geometry.input().samples(input.len());
    assert_eq!(geometry.output().samples(output.len()), rows);
    let stride = geometry.output().stride;
    run(geometry, rows, input, None, (output, stride), Write::Store, scratch);
}

/// input `[.., c]`, grad_output `[.., c]` -> grad_input `[.., c]`.
///
/// A value stands in its own quotient, and in the sum of each channel that sees it.
#[inline]
pub fn backward(
    geometry: &LocalResponseNormGeometry,
    input: &[f32],
    grad_output: &[f32],
    grad_input: &mut [f32],
    write: Write,
    scratch: &mut Scratch,
) {
    let (map, out_map) = (geometry.input(), geometry.output());
    let rows = map.samples(input.len());
    assert_eq!(out_map.samples(grad_output.len()), rows);
    assert_eq!(map.samples(grad_input.len()), rows);
    run(geometry, rows, input, Some(grad_output), (grad_input, map.stride), write, scratch);
}

#[inline]
fn run(
    geometry: &LocalResponseNormGeometry,
    rows: usize,
    input: &[f32],
    grad: Option<&[f32]>,
    (target, stride): (&mut [f32], usize),
    write: Write,
    scratch: &mut Scratch,
) {
    if rows == 0 {
        return;
    }
    let (_, slots) = scratch.lend(geometry.needs());
    let piece = PIECE.div_ceil(geometry.channels);
    let target = Target::new(target);
    let isa = isa::current();
    chunk::for_each(rows.div_ceil(piece), 8 * rows * geometry.channels, |index| {
        let mut slot = slots.own();
        let slot = &mut slot[..2 * geometry.padded()];
        let rows = index * piece..rows.min((index + 1) * piece);
        isa.run(Task {
            geometry,
            rows,
            input: Rows::strided(input, geometry.input().stride),
            grad: grad.map(|grad| Rows::strided(grad, geometry.output().stride)),
            target: (target, stride),
            add: write == Write::Add,
            slot,
        });
    });
}

struct Task<'a> {
    geometry: &'a LocalResponseNormGeometry,
    rows: Range<usize>,
    input: Rows<'a>,
    /// The gradient of the output, if the target is that of the input.
    grad: Option<Rows<'a>>,
    target: (Target, usize),
    add: bool,
    slot: &'a mut [f32],
}

impl Kernel for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { geometry, rows, input, grad, target: (target, stride), add, slot } = self;
        let (channels, [before, behind]) = (geometry.channels, geometry.around());
        let size = before + 1 + behind;
        let share = simd.splat((geometry.alpha / geometry.size as f64) as f32);
        let (k, beta) = (simd.splat(geometry.k as f32), geometry.beta as f32);
        let factor = simd.splat((-2.0 * geometry.alpha * geometry.beta / geometry.size as f64) as f32);
        // Behind the zeros that the windows of the first channels see.
        slot.fill(0.0);
        let (squares, terms) = slot.split_at_mut(geometry.padded());
        for row in rows {
            let input = input.row(row, channels);
            let grad = grad.map(|grad| grad.row(row, channels));
            // SAFETY: each row is part of one piece.
            let target = unsafe { target.slice(row * stride, channels) };
            for (c, count) in vectors::<S>(channels) {
                // SAFETY: the rows have `count` values there, and `padded` is as far as windows reach.
                unsafe {
                    let x = simd.load_some(input.as_ptr().add(c), count);
                    simd.store_some(squares.as_mut_ptr().add(before + c), count, simd.mul(x, x));
                }
            }
            for (c, count) in vectors::<S>(channels) {
                // SAFETY: as above.
                unsafe {
                    let x = simd.load_some(input.as_ptr().add(c), count);
                    let base = simd.mul_add(share, sums(simd, squares, c, size), k);
                    let power = power(simd, base, beta);
                    let to = target.as_mut_ptr().add(c);
                    let Some(grad) = grad else {
                        simd.store_some(to, count, simd.mul(x, power));
                        continue;
                    };
                    let mut own = simd.mul(simd.load_some(grad.as_ptr().add(c), count), power);
                    let term = simd.div(simd.mul(own, x), base);
                    simd.store_some(terms.as_mut_ptr().add(behind + c), count, term);
                    if add {
                        own = simd.add(own, simd.load_some(to, count));
                    }
                    simd.store_some(to, count, own);
                }
            }
            if grad.is_none() {
                continue;
            }
            for (c, count) in vectors::<S>(channels) {
                // SAFETY: as above.
                unsafe {
                    // Who sees a channel: the other way around.
                    let sum = sums(simd, terms, c, size);
                    let x = simd.mul(factor, simd.load_some(input.as_ptr().add(c), count));
                    let to = target.as_mut_ptr().add(c);
                    simd.store_some(to, count, simd.mul_add(x, sum, simd.load_some(to, count)));
                }
            }
        }
    }
}

/// The sums of `size` values from `start` on, from the next on, and so on.
///
/// # Safety
/// There are `size` values and a vector from `start` on.
#[inline(always)]
unsafe fn sums<S: Simd>(simd: S, values: &[f32], start: usize, size: usize) -> S::Vector {
    let mut sum = simd.splat(0.0);
    for place in start..start + size {
        // SAFETY: the caller's promise.
        sum = simd.add(sum, unsafe { simd.load(values.as_ptr().add(place)) });
    }
    sum
}

/// `base^-beta`, by square roots for the usual exponents.
#[inline(always)]
fn power<S: Simd>(simd: S, base: S::Vector, beta: f32) -> S::Vector {
    let root = simd.sqrt(base);
    let divisor = if beta == 0.75 {
        simd.mul(root, simd.sqrt(root))
    } else if beta == 0.5 {
        root
    } else {
        let mut lanes = [0.0; MAX_LANES];
        // SAFETY: no set has more lanes.
        unsafe {
            simd.store(lanes.as_mut_ptr(), base);
            lanes[..S::LANES].iter_mut().for_each(|lane| *lane = lane.powf(beta));
            simd.load(lanes.as_ptr())
        }
    };
    simd.div(simd.splat(1.0), divisor)
}
