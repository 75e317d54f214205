//! Samples that have one mean each and lie in one piece: rows of values, one after the other while a cache has them.

use super::Affine;
use super::loops::in_two;
use super::sums::{Distances, Products, Values, add_up};
use crate::kernel::FusedActivation;
use crate::kernel::isa::Simd;
use crate::kernel::rows::strip::{self, Strip};

/// Rows whose numbers are worked out before their values are gone through again, together: the numbers of one wait for each
/// other. With eight, what is read comes in gusts.
const ROWS: usize = 4;
/// Values of them at most, of each of three maps: a first-level cache has 32 KB or more.
const VALUES: usize = 1 << 11;
/// Values of a cache line.
const LINE: usize = 16;

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

    /// Numbers close to the means of the rows from the first on.
    ///
    /// # Safety
    /// The rows are in memory.
    #[inline(always)]
    unsafe fn centers<S: Simd>(&self, simd: S, first: usize, centers: &mut [f32]) {
        for (row, center) in (first..).zip(centers) {
            *center = 0.0;
            if self.centered {
                // SAFETY: the caller's promise.
                let [sum] = unsafe { add_up::<S, 1, 4>(simd, self.len, &Values(self.row(row))) };
                *center = (sum / self.len as f64) as f32;
            }
        }
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

    /// What is known of a row on the way back: the third and the fourth sum are those of the gradients times their weights, and
    /// of these times the distances.
    #[inline(always)]
    fn numbers_back(&self, center: f32, [distances, squares, grads, mut products]: [f64; 4]) -> Numbers {
        let values = self.len as f64;
        let numbers = self.numbers(center, distances, squares);
        let (inverse, mut shift) = (f64::from(numbers.inverse), 0.0);
        if self.centered {
            products -= distances / values * grads;
            shift = -inverse * grads / values;
        }
        Numbers { shift: shift as f32, slope: (-inverse * inverse * products / values) as f32, ..numbers }
    }

    /// Rows of a block.
    fn of_block(&self) -> usize {
        (VALUES / self.len).clamp(1, ROWS)
    }

    /// # Safety
    /// The rows are in memory, and nobody else uses those of the output.
    #[inline(always)]
    pub(super) unsafe fn forward<S: Simd>(&self, simd: S, to: (*mut f32, usize)) {
        let (mut centers, mut sums, mut numbers) = ([0.0; ROWS], [[0.0; 2]; ROWS], [Numbers::default(); ROWS]);
        for first in (0..self.count).step_by(self.of_block()) {
            let count = self.of_block().min(self.count - first);
            // Each step of all rows before the next one: those of one row wait for each other.
            // SAFETY: the caller's promise; each value has a weight.
            unsafe {
                self.centers(simd, first, &mut centers[..count]);
                for (row, (sums, mean)) in (first..).zip(sums.iter_mut().zip(&centers[..count])) {
                    *sums = add_up::<S, 2, 4>(simd, self.len, &Distances { from: self.row(row), mean: *mean });
                }
                for (index, numbers) in numbers[..count].iter_mut().enumerate() {
                    let [distances, squares] = sums[index];
                    *numbers = self.numbers(centers[index], distances, squares);
                }
                let mut body = ForwardRows { rows: self, to, numbers: &numbers[..count], first };
                strip::for_each(simd, self.len, &mut body);
                if let Some(then) = self.fused.then() {
                    then.apply(simd.isa(), [count, self.len], (to.0.add(first * to.1), to.1));
                }
            }
        }
    }

    /// Asks for what is read two blocks later, and for what is written in this one: three maps are more than the processor
    /// foresees by itself, which takes up to half as long again.
    #[inline(always)]
    fn expect<S: Simd>(&self, simd: S, returned: ReturnedRows, row: usize, of_block: usize) {
        let (ahead, grad) = (row + 2 * of_block, returned.grad);
        for place in (0..self.len).step_by(LINE) {
            simd.prefetch(self.row(ahead).wrapping_add(place));
            simd.prefetch(grad.0.wrapping_add(ahead * grad.1 + place));
            if let Some(to) = returned.to {
                simd.prefetch(to.0.wrapping_add(row * to.1 + place));
            }
        }
    }

    /// # Safety
    /// The rows are in memory, and nobody else uses those that are written.
    #[inline(always)]
    pub(super) unsafe fn backward<S: Simd>(&self, simd: S, returned: ReturnedRows) {
        let (mut centers, mut sums, mut numbers) = ([0.0; ROWS], [[0.0; 4]; ROWS], [Numbers::default(); ROWS]);
        let weight = self.affine.weight.map(<[f32]>::as_ptr);
        for first in (0..self.count).step_by(self.of_block()) {
            let count = self.of_block().min(self.count - first);
            // SAFETY: the caller's promise; each value has a weight.
            unsafe {
                self.centers(simd, first, &mut centers[..count]);
                for (row, (sums, mean)) in (first..).zip(sums.iter_mut().zip(&centers[..count])) {
                    self.expect(simd, returned, row, count);
                    let (of, grad) = (Distances { from: self.row(row), mean: *mean }, returned.grad);
                    let products = Products { of, grad: grad.0.add(row * grad.1), weight };
                    *sums = add_up::<S, 4, 2>(simd, self.len, &products);
                }
                for (index, numbers) in numbers[..count].iter_mut().enumerate() {
                    *numbers = self.numbers_back(centers[index], sums[index]);
                }
                let mut body = BackwardRows { rows: self, returned, numbers: &numbers[..count], first };
                // Five vectors for each of a strip and five numbers of a row: sixteen registers hold no more.
                strip::for_each_of::<S, 2>(simd, self.len, &mut body);
            }
        }
    }
}

struct ForwardRows<'a> {
    rows: &'a RowsOf<'a>,
    to: (*mut f32, usize),
    numbers: &'a [Numbers],
    first: usize,
}

impl strip::Body for ForwardRows<'_> {
    /// # Safety
    /// The rows are in memory, and nobody else uses those of the output; each value has a weight.
    #[inline(always)]
    unsafe fn run<S: Simd, const NV: usize>(&mut self, simd: S, strip: Strip<S, NV>, start: usize) {
        let Self { rows, to, numbers, first } = *self;
        // SAFETY: the caller's promise.
        unsafe {
            let weight = rows.affine.weight.map_or(strip.splat(1.0), |weight| strip.load(weight.as_ptr().add(start)));
            let bias = rows.affine.bias.map_or(strip.splat(0.0), |bias| strip.load(bias.as_ptr().add(start)));
            for (row, Numbers { mean, inverse, rest, .. }) in (first..).zip(numbers) {
                let [mean, inverse, rest] = [mean, inverse, rest].map(|number| simd.splat(*number));
                let mut x = strip.load(rows.row(row).add(start));
                for v in 0..NV {
                    let normalized = simd.mul_add(simd.sub(x[v], mean), inverse, rest);
                    x[v] = simd.mul_add(normalized, weight[v], bias[v]);
                }
                rows.fused.apply(simd, &mut x);
                strip.store(to.0.add(row * to.1 + start), x);
            }
        }
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
