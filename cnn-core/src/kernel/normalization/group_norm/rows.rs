//! Samples that have one mean each and lie in one piece: rows of values, one after the other while a cache has them.

use super::Affine;
use super::loops::in_two;
use super::sums::{Distances, Products, Values, add_up};
use crate::kernel::FusedActivation;
use crate::kernel::isa::{Simd, vectors};
use crate::kernel::rows::strip::{self, Strip};

/// Rows whose numbers are worked out before their gradients are gone through together.
const ROWS: usize = 16;
/// Values of them at most, of each of three maps: a first-level cache has 32 KB or more.
const VALUES: usize = 1 << 11;

/// Rows of values.
#[derive(Clone, Copy)]
pub(super) struct RowsOf<'a> {
    pub(super) affine: Affine<'a>,
    pub(super) fused: FusedActivation,
    pub(super) eps: f64,
    pub(super) centered: bool,
    /// How many there are, and their values.
    pub(super) count: usize,
    pub(super) len: usize,
    /// The first, and from one to the next.
    pub(super) input: (*const f32, usize),
}

/// What comes back to them.
#[derive(Clone, Copy)]
pub(super) struct ReturnedRows {
    pub(super) grad: (*const f32, usize),
    /// Where the gradient of the input goes, if it is wanted, and whether it is added to what is there.
    pub(super) to: Option<(*mut f32, usize)>,
    pub(super) add: bool,
    /// Where the gradients of weights and biases are added, a sum for each value.
    pub(super) gradients: Option<[*mut f32; 2]>,
}

/// What is known of a row.
#[derive(Clone, Copy, Default)]
struct Numbers {
    mean: f32,
    inverse: f32,
    /// `(x - mean) * inverse + rest` is the normalized value: what the mean is more than its f32 is no little part of a
    /// deviation where the mean is large.
    rest: f32,
    /// `inverse * weight * grad + shift + slope * normalized` is the gradient of `x`.
    shift: f32,
    slope: f32,
}

impl RowsOf<'_> {
    fn row(&self, row: usize) -> *const f32 {
        self.input.0.wrapping_add(row * self.input.1)
    }

    /// A number close to the mean.
    ///
    /// # Safety
    /// The row is in memory.
    #[inline(always)]
    unsafe fn center<S: Simd>(&self, simd: S, row: usize) -> f32 {
        if !self.centered {
            return 0.0;
        }
        // SAFETY: the caller's promise.
        let [sum] = unsafe { add_up::<S, 1, 4>(simd, self.len, &Values(self.row(row))) };
        (sum / self.len as f64) as f32
    }

    /// What is known on the way there, of a number close to the mean and the sums of the distances to it and of their squares.
    #[inline(always)]
    fn numbers(&self, center: f32, distances: f64, squares: f64) -> Numbers {
        let values = self.len as f64;
        let distances = if self.centered { distances } else { 0.0 };
        let (mean, low) = in_two(f64::from(center) + distances / values);
        let variance = (squares - distances * distances / values) / values;
        let inverse = (1.0 / (variance + self.eps).sqrt()) as f32;
        Numbers { mean, inverse, rest: -low * inverse, ..Numbers::default() }
    }

    /// # Safety
    /// The rows are in memory, and nobody else uses those of the output.
    #[inline(always)]
    pub(super) unsafe fn forward<S: Simd>(&self, simd: S, to: (*mut f32, usize)) {
        let Self { len, .. } = *self;
        let [weight, bias] = [self.affine.weight, self.affine.bias].map(|values| values.map(<[f32]>::as_ptr));
        for row in 0..self.count {
            let (from, to) = (self.row(row), to.0.wrapping_add(row * to.1));
            // SAFETY: the caller's promise; each value has a weight.
            unsafe {
                let center = self.center(simd, row);
                let [distances, squares] = add_up::<S, 2, 4>(simd, len, &Distances { from, mean: center });
                let Numbers { mean, inverse, rest, .. } = self.numbers(center, distances, squares);
                let [mean, inverse, rest] = [mean, inverse, rest].map(|number| simd.splat(number));
                for (start, count) in vectors::<S>(len) {
                    let distance = simd.sub(simd.load_some(from.add(start), count), mean);
                    let mut y = [simd.mul_add(distance, inverse, rest)];
                    if let Some(weight) = weight {
                        y[0] = simd.mul(y[0], simd.load_some(weight.add(start), count));
                    }
                    if let Some(bias) = bias {
                        y[0] = simd.add(y[0], simd.load_some(bias.add(start), count));
                    }
                    self.fused.apply(simd, &mut y);
                    simd.store_some(to.add(start), count, y[0]);
                }
                if let Some(then) = self.fused.then() {
                    then.apply(simd.isa(), [1, len], (to, len));
                }
            }
        }
    }

    /// # Safety
    /// The rows are in memory, and nobody else uses those that are written.
    #[inline(always)]
    pub(super) unsafe fn backward<S: Simd>(&self, simd: S, returned: ReturnedRows) {
        let mut numbers = [Numbers::default(); ROWS];
        let of_block = (VALUES / self.len).clamp(1, ROWS);
        for first in (0..self.count).step_by(of_block) {
            let numbers = &mut numbers[..of_block.min(self.count - first)];
            for (row, numbers) in (first..).zip(&mut *numbers) {
                // SAFETY: the caller's promise.
                *numbers = unsafe { self.numbers_back(simd, row, returned.grad) };
            }
            let mut body = BackwardRows { rows: self, returned, numbers, first };
            // SAFETY: as above; each value has a weight.
            unsafe { strip::for_each(simd, self.len, &mut body) };
        }
    }

    /// What is known of a row on the way back.
    ///
    /// # Safety
    /// It is in memory.
    #[inline(always)]
    unsafe fn numbers_back<S: Simd>(&self, simd: S, row: usize, grad: (*const f32, usize)) -> Numbers {
        let values = self.len as f64;
        // SAFETY: the caller's promise; each value has a weight.
        let (center, [distances, squares, grads, mut products]) = unsafe {
            let mean = self.center(simd, row);
            let weight = self.affine.weight.map(<[f32]>::as_ptr);
            let products =
                Products { of: Distances { from: self.row(row), mean }, grad: grad.0.add(row * grad.1), weight };
            (mean, add_up::<S, 4, 2>(simd, self.len, &products))
        };
        let numbers = self.numbers(center, distances, squares);
        let (inverse, mut shift) = (f64::from(numbers.inverse), 0.0);
        if self.centered {
            products -= distances / values * grads;
            shift = -inverse * grads / values;
        }
        Numbers { shift: shift as f32, slope: (-inverse * inverse * products / values) as f32, ..numbers }
    }
}

struct BackwardRows<'a> {
    rows: &'a RowsOf<'a>,
    returned: ReturnedRows,
    numbers: &'a [Numbers],
    first: usize,
}

impl strip::Body for BackwardRows<'_> {
    /// # Safety
    /// The rows are in memory, and nobody else uses those that are written; each value has a weight and its sums.
    #[inline(always)]
    unsafe fn run<S: Simd, const NV: usize>(&mut self, simd: S, strip: Strip<S, NV>, start: usize) {
        let Self { rows, returned: ReturnedRows { grad: back, to, add, gradients }, numbers, first } = *self;
        // SAFETY: the caller's promise.
        unsafe {
            let weight = rows.affine.weight.map_or(strip.splat(1.0), |weight| strip.load(weight.as_ptr().add(start)));
            let [mut of_weight, mut of_bias] = [strip.splat(0.0); 2];
            for (row, numbers) in (first..).zip(numbers) {
                let Numbers { mean, inverse, rest, shift, slope } = *numbers;
                let [mean, inverse, rest, shift, slope] =
                    [mean, inverse, rest, shift, slope].map(|number| simd.splat(number));
                let x = strip.load(rows.row(row).add(start));
                let mut grad = strip.load(back.0.add(row * back.1 + start));
                for v in 0..NV {
                    let normalized = simd.mul_add(simd.sub(x[v], mean), inverse, rest);
                    of_weight[v] = simd.mul_add(grad[v], normalized, of_weight[v]);
                    of_bias[v] = simd.add(grad[v], of_bias[v]);
                    let moved = simd.mul_add(normalized, slope, shift);
                    grad[v] = simd.mul_add(simd.mul(grad[v], weight[v]), inverse, moved);
                }
                let Some(to) = to else { continue };
                let to = to.0.add(row * to.1 + start);
                if add {
                    let before = strip.load(to);
                    for v in 0..NV {
                        grad[v] = simd.add(grad[v], before[v]);
                    }
                }
                strip.store(to, grad);
            }
            let Some([to_weight, to_bias]) = gradients else { return };
            for (to, sums) in [(to_weight, of_weight), (to_bias, of_bias)] {
                let mut total = strip.load(to.add(start));
                for v in 0..NV {
                    total[v] = simd.add(total[v], sums[v]);
                }
                strip.store(to.add(start), total);
            }
        }
    }
}
