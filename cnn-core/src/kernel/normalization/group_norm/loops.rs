//! Loops over some positions of a sample. Channels are gone through in strips down the positions, or, where the sample has one
//! mean and each value its own weight, as one run of values.

use super::Affine;
use super::sums::{Distances, Products, TERMS, add_up};
use crate::kernel::FusedActivation;
use crate::kernel::geometry::GroupNormGeometry;
use crate::kernel::isa::{Simd, vectors};
use crate::kernel::memory::buffer::split;
use crate::kernel::rows::strip::{self, CHANNELS, Strip};
use core::ops::Range;

/// Positions that say about where a mean is.
const CENTER: usize = TERMS;

/// What is known of each channel, or of all of them: one value then.
#[derive(Clone, Copy)]
pub(super) struct Lines<'a> {
    mean: &'a [f32],
    /// What the mean is more than its f32: beside a large mean its rounding is no little part of a deviation.
    low: &'a [f32],
    inverse: &'a [f32],
    /// `inverse * (weight * grad - shift - (x - mean) * slope)` is the gradient of `x`.
    shift: &'a [f32],
    slope: &'a [f32],
}

/// [`Lines`] to be written.
pub(super) struct LinesMut<'a> {
    mean: &'a mut [f32],
    low: &'a mut [f32],
    pub(super) inverse: &'a mut [f32],
    shift: &'a mut [f32],
    slope: &'a mut [f32],
}

impl<'a> LinesMut<'a> {
    /// In memory for five values of each line.
    pub(super) fn of(memory: &'a mut [f32]) -> Self {
        let [mean, low, inverse, shift, slope] = split(memory, [memory.len() / 5; 5]);
        Self { mean, low, inverse, shift, slope }
    }

    pub(super) fn read(&self) -> Lines<'_> {
        let Self { mean, low, inverse, shift, slope } = self;
        Lines { mean, low, inverse, shift, slope }
    }
}

/// The lines of a group.
fn lines_of(geometry: &GroupNormGeometry, group: usize) -> Range<usize> {
    let of_group = geometry.lines() / geometry.groups;
    group * of_group..(group + 1) * of_group
}

/// Mean and deviation of each group, of the moments of all parts.
pub(super) fn finish(geometry: &GroupNormGeometry, moments: &[f32], lines: &mut LinesMut<'_>) {
    let of_group = geometry.channels / geometry.groups;
    for group in 0..geometry.groups {
        let (mut mean, mut squares, mut before) = (0.0, 0.0, 0.0);
        for (part, moments) in moments.chunks_exact(3 * geometry.groups).enumerate() {
            let [high, low, new] = [0, 1, 2].map(|index| f64::from(moments[3 * group + index]));
            let count = (geometry.part(part).len() * of_group) as f64;
            // <https://en.wikipedia.org/wiki/Algorithms_for_calculating_variance#Parallel_algorithm>
            let (distance, share) = (high + low - mean, count / (before + count));
            mean += distance * share;
            squares += new + distance * distance * before * share;
            before += count;
        }
        let inverse = (1.0 / (squares / before + geometry.eps).sqrt()) as f32;
        let (high, low) = in_two(mean);
        let all = lines_of(geometry, group);
        lines.mean[all.clone()].fill(high);
        lines.low[all.clone()].fill(low);
        lines.inverse[all].fill(inverse);
    }
}

/// A number as an f32 and what is left.
pub(super) fn in_two(number: f64) -> (f32, f32) {
    let high = number as f32;
    (high, (number - f64::from(high)) as f32)
}

/// What the gradient of a group leaves out: its mean, and its part along the normalized values. `sums` are those of a sample
/// for each line, of `grad` and of `grad * (x - mean)`; where there is one line, the weight is in them.
pub(super) fn slopes(geometry: &GroupNormGeometry, weight: Option<&[f32]>, sums: &[f32], lines: &mut LinesMut<'_>) {
    let (of_grad, of_product) = sums.split_at(geometry.lines());
    let values = (geometry.cells() * (geometry.channels / geometry.groups)) as f64;
    let weight = weight.filter(|_| !geometry.is_whole());
    for group in 0..geometry.groups {
        let all = lines_of(geometry, group);
        let (mut grad, mut product) = (0.0, 0.0);
        for line in all.clone() {
            let weight = weight.map_or(1.0, |weight| f64::from(weight[line]));
            grad += weight * f64::from(of_grad[line]);
            product += weight * f64::from(of_product[line]);
        }
        let inverse = f64::from(lines.inverse[all.start]);
        lines.shift[all.clone()].fill(if geometry.centered { (grad / values) as f32 } else { 0.0 });
        lines.slope[all].fill((product / values * inverse * inverse) as f32);
    }
}

/// Some positions of a sample.
pub(super) struct Part<'a> {
    pub(super) geometry: &'a GroupNormGeometry,
    pub(super) affine: Affine<'a>,
    pub(super) fused: FusedActivation,
    pub(super) positions: Range<usize>,
    /// The first of them, and from one to the next.
    pub(super) input: (*const f32, usize),
}

/// What comes back to it, and what becomes of that.
#[derive(Clone, Copy)]
pub(super) struct Returned {
    pub(super) grad: (*const f32, usize),
    /// Where the gradient of the input goes, if it is wanted, and whether it is added to what is there.
    pub(super) to: Option<(*mut f32, usize)>,
    pub(super) add: bool,
    /// Where gradients of weights and biases of each value are added.
    pub(super) gradients: [Option<*mut f32>; 2],
}

impl Part<'_> {
    /// Rows and their length, which is all values where nothing lies between the rows.
    fn rows(&self, steps: impl IntoIterator<Item = usize>) -> [usize; 2] {
        let (rows, channels) = (self.positions.len(), self.geometry.channels);
        if steps.into_iter().all(|step| step == channels) { [1, rows * channels] } else { [rows, channels] }
    }

    /// Weights or biases from the first position on, where each value has one.
    fn of_values(&self, values: Option<&[f32]>) -> Option<*const f32> {
        values.map(|values| values[self.positions.start * self.geometry.channels..].as_ptr())
    }

    /// Of each group its mean, what that is more than its f32, and the sum of the squares of the distances to it: from zero, if
    /// no mean is subtracted.
    ///
    /// # Safety
    /// The positions lie in the input.
    #[inline(always)]
    pub(super) unsafe fn moments<S: Simd>(
        &self,
        simd: S,
        moments: &mut [f32],
        lines: &mut LinesMut<'_>,
        sums: &mut [f32],
    ) {
        let geometry = self.geometry;
        let values = (self.positions.len() * (geometry.channels / geometry.groups)) as f64;
        lines.mean.fill(0.0);
        lines.low.fill(0.0);
        for is_last in [false, true] {
            if !is_last && !geometry.centered {
                continue;
            }
            // The first ones say closely enough where the mean is: at worst as many times the rounding as they are fewer.
            let end = if is_last { self.positions.end } else { self.positions.end.min(self.positions.start + CENTER) };
            let positions = self.positions.start..end;
            let values = (positions.len() * (geometry.channels / geometry.groups)) as f64;
            // SAFETY: the caller's promise.
            unsafe { Self { positions, ..*self }.distances(simd, lines.read(), sums) };
            if is_last {
                break;
            }
            for group in 0..geometry.groups {
                let all = lines_of(geometry, group);
                let sum: f64 = sums[all.clone()].iter().copied().map(f64::from).sum();
                lines.mean[all].fill((sum / values) as f32);
            }
        }
        let (distances, squares) = sums.split_at(geometry.lines());
        for (group, moments) in moments.chunks_exact_mut(3).enumerate() {
            let all = lines_of(geometry, group);
            let mean = f64::from(lines.mean[all.start]);
            let sum = |of: &[f32]| of[all.clone()].iter().copied().map(f64::from).sum::<f64>();
            // The mean was rounded; the distances to it say by how much.
            let (rest, squares) = (if geometry.centered { sum(distances) } else { 0.0 }, sum(squares));
            let (high, low) = in_two(mean + rest / values);
            moments.copy_from_slice(&[high, low, (squares - rest * rest / values) as f32]);
        }
    }

    /// The sums of `x - mean` and of its squares for each line.
    ///
    /// # Safety
    /// The positions lie in the input.
    #[inline(always)]
    unsafe fn distances<S: Simd>(&self, simd: S, lines: Lines<'_>, sums: &mut [f32]) {
        // SAFETY: the caller's promise.
        unsafe {
            if self.geometry.is_whole() {
                let [rows, len] = self.rows([self.input.1]);
                let mut total = [0.0; 2];
                for row in 0..rows {
                    let distances = Distances { from: self.input.0.add(row * self.input.1), mean: lines.mean[0] };
                    let of_row = add_up::<S, 2, 4>(simd, len, &distances);
                    total.iter_mut().zip(of_row).for_each(|(total, sum)| *total += sum);
                }
                sums.copy_from_slice(&total.map(|sum| sum as f32));
            } else {
                let (rows, channels) = (self.positions.len(), self.geometry.channels);
                let mut columns = Columns { input: self.input, grad: None, rows, channels, lines, sums };
                strip::for_each(simd, channels, &mut columns);
            }
        }
    }

    /// The sums of `grad` and of `grad * (x - mean)` for each line; where there is one, the gradients times their weights.
    ///
    /// # Safety
    /// The positions lie in the input and in what comes back.
    #[inline(always)]
    pub(super) unsafe fn sums<S: Simd>(&self, simd: S, lines: Lines<'_>, grad: (*const f32, usize), sums: &mut [f32]) {
        // SAFETY: the caller's promise.
        unsafe {
            if self.geometry.is_whole() {
                let [rows, len] = self.rows([self.input.1, grad.1]);
                let (weight, mean) = (self.of_values(self.affine.weight), lines.mean[0]);
                let [mut of_grad, mut of_product] = [0.0; 2];
                for row in 0..rows {
                    let of = Distances { from: self.input.0.add(row * self.input.1), mean };
                    let weight = weight.map(|weight| weight.add(row * len));
                    let products = Products { of, grad: grad.0.add(row * grad.1), weight };
                    let [_, _, grads, products] = add_up::<S, 4, 2>(simd, len, &products);
                    of_grad += grads;
                    of_product += products - f64::from(lines.low[0]) * grads;
                }
                sums.copy_from_slice(&[of_grad as f32, of_product as f32]);
            } else {
                let (rows, channels) = (self.positions.len(), self.geometry.channels);
                let mut columns = Columns { input: self.input, grad: Some(grad), rows, channels, lines, sums };
                strip::for_each(simd, channels, &mut columns);
            }
        }
    }

    /// # Safety
    /// The positions lie in input and output, and nobody else uses those of the output.
    #[inline(always)]
    pub(super) unsafe fn forward<S: Simd>(&self, simd: S, lines: Lines<'_>, to: (*mut f32, usize)) {
        let [rows, len] = self.rows([self.input.1, to.1]);
        // SAFETY: the caller's promise.
        unsafe {
            if self.geometry.is_whole() {
                self.forward_run(simd, lines, [rows, len], to);
            } else {
                strip::for_each(simd, self.geometry.channels, &mut ForwardColumns { part: self, lines, to });
            }
            if let Some(then) = self.fused.then() {
                then.apply(simd.isa(), [rows, len], to);
            }
        }
    }

    /// [`forward`](Self::forward) where all values have one mean: rows of them, or one.
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    unsafe fn forward_run<S: Simd>(&self, simd: S, lines: Lines<'_>, [rows, len]: [usize; 2], to: (*mut f32, usize)) {
        let [weight, bias] = [self.affine.weight, self.affine.bias].map(|values| self.of_values(values));
        let [mean, low, inverse] = [lines.mean, lines.low, lines.inverse].map(|line| simd.splat(line[0]));
        for row in 0..rows {
            for (start, count) in vectors::<S>(len) {
                // SAFETY: the caller's promise; each value has a weight.
                unsafe {
                    let place = row * len + start;
                    let x = simd.load_some(self.input.0.add(row * self.input.1 + start), count);
                    let distance = simd.sub(simd.sub(x, mean), low);
                    let scale = match weight {
                        Some(weight) => simd.mul(inverse, simd.load_some(weight.add(place), count)),
                        None => inverse,
                    };
                    let mut y = [match bias {
                        Some(bias) => simd.mul_add(distance, scale, simd.load_some(bias.add(place), count)),
                        None => simd.mul(distance, scale),
                    }];
                    self.fused.apply(simd, &mut y);
                    simd.store_some(to.0.add(row * to.1 + start), count, y[0]);
                }
            }
        }
    }

    /// # Safety
    /// The positions lie in all maps, and nobody else uses those that are written.
    #[inline(always)]
    pub(super) unsafe fn backward<S: Simd>(&self, simd: S, lines: Lines<'_>, returned: Returned) {
        if !self.geometry.is_whole() {
            let Some(to) = returned.to else { return };
            let mut body = BackwardColumns { part: self, lines, returned, to };
            // SAFETY: the caller's promise.
            return unsafe { strip::for_each(simd, self.geometry.channels, &mut body) };
        }
        let Returned { grad, to, add, gradients: [grad_weight, grad_bias] } = returned;
        let [rows, len] = self.rows([self.input.1, grad.1].into_iter().chain(to.map(|to| to.1)));
        let weight = self.of_values(self.affine.weight);
        let Lines { mean, low, inverse, shift, slope } = lines;
        let [mean, low, inverse, shift, slope] = [mean, low, inverse, shift, slope].map(|line| simd.splat(line[0]));
        for row in 0..rows {
            for (start, count) in vectors::<S>(len) {
                // SAFETY: the caller's promise; each value has a weight.
                unsafe {
                    let place = row * len + start;
                    let x = simd.load_some(self.input.0.add(row * self.input.1 + start), count);
                    let distance = simd.sub(simd.sub(x, mean), low);
                    let mut grad = simd.load_some(grad.0.add(row * grad.1 + start), count);
                    if let Some(sums) = grad_weight {
                        let sums = sums.add(place);
                        let sum = simd.mul_add(grad, simd.mul(distance, inverse), simd.load_some(sums, count));
                        simd.store_some(sums, count, sum);
                    }
                    if let Some(sums) = grad_bias {
                        let sums = sums.add(place);
                        simd.store_some(sums, count, simd.add(grad, simd.load_some(sums, count)));
                    }
                    let Some(to) = to else { continue };
                    if let Some(weight) = weight {
                        grad = simd.mul(grad, simd.load_some(weight.add(place), count));
                    }
                    let moved = simd.mul_add(distance, slope, shift);
                    let mut value = simd.mul(simd.sub(grad, moved), inverse);
                    let to = to.0.add(row * to.1 + start);
                    if add {
                        value = simd.add(value, simd.load_some(to, count));
                    }
                    simd.store_some(to, count, value);
                }
            }
        }
    }
}

/// The sums of `grad` and of `grad * (x - mean)` down the rows for each channel; without a gradient, that is the distance.
struct Columns<'a> {
    input: (*const f32, usize),
    grad: Option<(*const f32, usize)>,
    rows: usize,
    channels: usize,
    lines: Lines<'a>,
    sums: &'a mut [f32],
}

impl strip::Body for Columns<'_> {
    /// # Safety
    /// The rows are in memory, and each channel has its numbers.
    #[inline(always)]
    unsafe fn run<S: Simd, const NV: usize>(&mut self, simd: S, strip: Strip<S, NV>, channel: usize) {
        let Self { input, grad, rows, channels, lines, .. } = *self;
        // SAFETY: the caller's promise.
        let [mean, low] = [lines.mean, lines.low].map(|line| unsafe { strip.load(line.as_ptr().add(channel)) });
        let mut total = [[0.0f64; CHANNELS]; 2];
        for first in (0..rows).step_by(TERMS) {
            let mut sums = [strip.splat(0.0); 2];
            for row in first..rows.min(first + TERMS) {
                // SAFETY: the caller's promise.
                let mut distance = unsafe { strip.load(input.0.add(row * input.1 + channel)) };
                for v in 0..NV {
                    distance[v] = simd.sub(simd.sub(distance[v], mean[v]), low[v]);
                }
                let grad = match grad {
                    // SAFETY: as above.
                    Some(grad) => unsafe { strip.load(grad.0.add(row * grad.1 + channel)) },
                    None => distance,
                };
                for v in 0..NV {
                    sums[0][v] = simd.add(sums[0][v], grad[v]);
                    sums[1][v] = simd.mul_add(grad[v], distance[v], sums[1][v]);
                }
            }
            for (total, sums) in total.iter_mut().zip(sums) {
                let sums = strip.to_array(sums);
                total[..strip.channels()].iter_mut().zip(sums).for_each(|(total, sum)| *total += f64::from(sum));
            }
        }
        for (index, total) in total.iter().enumerate() {
            let sums = &mut self.sums[index * channels + channel..][..strip.channels()];
            sums.iter_mut().zip(total).for_each(|(sum, total)| *sum = *total as f32);
        }
    }
}

struct ForwardColumns<'a> {
    part: &'a Part<'a>,
    lines: Lines<'a>,
    to: (*mut f32, usize),
}

impl strip::Body for ForwardColumns<'_> {
    /// # Safety
    /// The positions lie in both maps, and nobody else uses those of the output; each channel has its numbers.
    #[inline(always)]
    unsafe fn run<S: Simd, const NV: usize>(&mut self, simd: S, strip: Strip<S, NV>, channel: usize) {
        let Self { part: Part { affine, fused, positions, input, .. }, lines, to } = *self;
        // SAFETY: the caller's promise.
        unsafe {
            let [mean, low, mut scale] =
                [lines.mean, lines.low, lines.inverse].map(|line| strip.load(line.as_ptr().add(channel)));
            if let Some(weight) = affine.weight {
                let weight = strip.load(weight.as_ptr().add(channel));
                for v in 0..NV {
                    scale[v] = simd.mul(scale[v], weight[v]);
                }
            }
            let bias = affine.bias.map_or(strip.splat(0.0), |bias| strip.load(bias.as_ptr().add(channel)));
            for row in 0..positions.len() {
                let mut x = strip.load(input.0.add(row * input.1 + channel));
                for v in 0..NV {
                    x[v] = simd.mul_add(simd.sub(simd.sub(x[v], mean[v]), low[v]), scale[v], bias[v]);
                }
                fused.apply(simd, &mut x);
                strip.store(to.0.add(row * to.1 + channel), x);
            }
        }
    }
}

struct BackwardColumns<'a> {
    part: &'a Part<'a>,
    lines: Lines<'a>,
    returned: Returned,
    to: (*mut f32, usize),
}

impl strip::Body for BackwardColumns<'_> {
    /// # Safety
    /// The positions lie in all maps, and nobody else uses those that are written; each channel has its numbers.
    #[inline(always)]
    unsafe fn run<S: Simd, const NV: usize>(&mut self, simd: S, strip: Strip<S, NV>, channel: usize) {
        let Self { part: Part { affine, positions, input, .. }, lines, returned, to } = *self;
        let Lines { mean, low, inverse, shift, slope } = lines;
        // SAFETY: the caller's promise.
        unsafe {
            let [mean, low, inverse, shift, slope] =
                [mean, low, inverse, shift, slope].map(|line| strip.load(line.as_ptr().add(channel)));
            let weight = affine.weight.map_or(strip.splat(1.0), |weight| strip.load(weight.as_ptr().add(channel)));
            for row in 0..positions.len() {
                let x = strip.load(input.0.add(row * input.1 + channel));
                let mut grad = strip.load(returned.grad.0.add(row * returned.grad.1 + channel));
                for v in 0..NV {
                    let distance = simd.sub(simd.sub(x[v], mean[v]), low[v]);
                    let moved = simd.mul_add(distance, slope[v], shift[v]);
                    grad[v] = simd.mul(simd.sub(simd.mul(grad[v], weight[v]), moved), inverse[v]);
                }
                let to = to.0.add(row * to.1 + channel);
                if returned.add {
                    let before = strip.load(to);
                    for v in 0..NV {
                        grad[v] = simd.add(grad[v], before[v]);
                    }
                }
                strip.store(to, grad);
            }
        }
    }
}
