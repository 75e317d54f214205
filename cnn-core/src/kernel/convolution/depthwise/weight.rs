//! The weight's gradient of a depthwise convolution: for each tap of each channel a sum over all cells.
//!
//! Rows of the output are cut into chunks, a task each, whose sums are added in their order. Within a row the sums of a few
//! taps stay in registers.

use crate::kernel::geometry::Conv2dGeometry;
use crate::kernel::isa::{self, Kernel, Simd};
use crate::kernel::memory::chunk::{self, Target};
use crate::kernel::rows::strip::{self, Strip};
use core::ops::Range;

/// Chunks at most: their sums are kept.
const CHUNKS: usize = 16;
/// Multiply-adds of a chunk at least.
const CHUNK: usize = 1 << 18;
/// Taps whose sums stay in registers, beside four vectors of a gradient.
const TAPS: usize = 3;

/// Sums of a chunk: `[kh][kw][channels]` of the filters, and `[channels]` of the bias.
const fn sums_len(geometry: &Conv2dGeometry) -> usize {
    geometry.weight_len() + geometry.out_channels
}

/// Values of the sums of all chunks.
pub(in super::super) const fn partials_len(geometry: &Conv2dGeometry) -> usize {
    sums_len(geometry).saturating_mul(CHUNKS)
}

/// The shell has checked all lengths.
pub(in super::super) fn run(
    geometry: &Conv2dGeometry,
    batch: usize,
    input: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
    grad_bias: Option<&mut [f32]>,
    partials: &mut [f32],
) {
    let isa = isa::current();
    let rows = batch * geometry.out_size()[0];
    let work = batch * geometry.multiply_adds();
    let chunks = (work / CHUNK).clamp(1, CHUNKS).min(rows.max(1));
    let partials = &mut partials[..chunks * sums_len(geometry)];
    let job = Job { geometry, input, grad_output, with_bias: grad_bias.is_some(), partials: Target::new(partials) };
    chunk::for_each(chunks, work, |chunk| {
        let rows = chunk * rows / chunks..(chunk + 1) * rows / chunks;
        isa.run(Task { job: &job, chunk, rows });
    });

    let (total, others) = partials.split_at_mut(sums_len(geometry));
    isa.vectorize(
        #[inline(always)]
        || {
            for sums in others.chunks_exact(total.len()) {
                total.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
            }
        },
    );
    let (weight, bias) = total.split_at(geometry.weight_len());
    let taps = weight.len() / geometry.groups;
    for (channel, filter) in grad_weight.chunks_exact_mut(taps).enumerate() {
        let from = weight[channel..].iter().step_by(geometry.groups);
        filter.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    }
    if let Some(grad_bias) = grad_bias {
        grad_bias.copy_from_slice(bias);
    }
}

struct Job<'a> {
    geometry: &'a Conv2dGeometry,
    input: &'a [f32],
    grad_output: &'a [f32],
    with_bias: bool,
    partials: Target,
}

struct Task<'a> {
    job: &'a Job<'a>,
    chunk: usize,
    /// Output rows of the batch.
    rows: Range<usize>,
}

impl Kernel for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Job { geometry, input, grad_output, with_bias, partials } = *self.job;
        let (map, out_map) = (geometry.input(), geometry.output());
        // SAFETY: the sums of this chunk, which is one task.
        let sums = unsafe { partials.slice(self.chunk * sums_len(geometry), sums_len(geometry)) };
        sums.fill(0.0);
        for row in self.rows {
            let (sample, oh) = (row / out_map.size[0], row % out_map.size[0]);
            let grad = &grad_output[row * out_map.row_step()..];
            if with_bias {
                let mut bias = Bias { grad, geometry, sums: &mut sums[geometry.weight_len()..] };
                // SAFETY: the shell has found all rows in the gradient; there is a sum for each channel.
                unsafe { strip::for_each(simd, geometry.groups, &mut bias) };
            }
            for kh in 0..geometry.kernel_size[0] {
                let ih = (oh * geometry.stride[0] + kh * geometry.dilation[0]).wrapping_sub(geometry.padding.top);
                if ih >= map.size[0] {
                    continue;
                }
                let input = &input[sample * map.sample_step() + ih * map.row_step()..];
                let row_len = geometry.kernel_size[1] * geometry.groups;
                let mut row = Row { geometry, input, grad, sums: &mut sums[kh * row_len..(kh + 1) * row_len] };
                // SAFETY: the shell has found all rows in both maps; there is a sum for each channel of each tap.
                unsafe { strip::for_each(simd, geometry.groups, &mut row) };
            }
        }
    }
}

/// A row of the gradient, summed.
struct Bias<'a> {
    geometry: &'a Conv2dGeometry,
    grad: &'a [f32],
    sums: &'a mut [f32],
}

impl strip::Body for Bias<'_> {
    /// # Safety
    /// `grad` has a row, `sums` has a value for each channel.
    #[inline(always)]
    unsafe fn run<S: Simd, const NV: usize>(&mut self, simd: S, strip: Strip<S, NV>, channel: usize) {
        let map = self.geometry.output();
        // SAFETY: the caller's promise.
        unsafe {
            let to = self.sums.as_mut_ptr().add(channel);
            let mut sum = strip.splat(0.0);
            for ow in 0..map.size[1] {
                let grad = strip.load(self.grad.as_ptr().add(ow * map.stride + channel));
                for v in 0..NV {
                    sum[v] = simd.add(sum[v], grad[v]);
                }
            }
            let before = strip.load(to);
            for v in 0..NV {
                sum[v] = simd.add(sum[v], before[v]);
            }
            strip.store(to, sum);
        }
    }
}

/// A row of the gradient and the row of the input that one row of taps meets.
struct Row<'a> {
    geometry: &'a Conv2dGeometry,
    input: &'a [f32],
    grad: &'a [f32],
    sums: &'a mut [f32],
}

impl strip::Body for Row<'_> {
    /// # Safety
    /// `input` and `grad` have a row, `sums` has a value for each channel of each column of taps.
    #[inline(always)]
    unsafe fn run<S: Simd, const NV: usize>(&mut self, simd: S, strip: Strip<S, NV>, channel: usize) {
        let taps = self.geometry.kernel_size[1];
        for first in (0..taps).step_by(TAPS) {
            let count = TAPS.min(taps - first);
            // The cells in which all taps lie on the input.
            let (mut start, mut end) = (0, usize::MAX);
            for tap in first..first + count {
                let cells = self.cells(tap);
                (start, end) = (start.max(cells.start), end.min(cells.end));
            }
            if count == TAPS && start < end {
                // SAFETY: the caller's promise, and these cells' taps lie on the input.
                unsafe { self.add::<S, NV, TAPS>(simd, strip, channel, first, start..end) };
            } else {
                (start, end) = (0, 0);
            }
            // Each tap alone: the rest of its cells, which may be all.
            for tap in first..first + count {
                let cells = self.cells(tap);
                for cells in [cells.start..cells.end.min(start), cells.start.max(end)..cells.end] {
                    // SAFETY: as above.
                    unsafe { self.add::<S, NV, 1>(simd, strip, channel, tap, cells) };
                }
            }
        }
    }
}

impl Row<'_> {
    /// The cells of the row whose column `kw` of taps lies on the input.
    fn cells(&self, kw: usize) -> Range<usize> {
        let Conv2dGeometry { stride, dilation, padding, .. } = self.geometry;
        let (offset, width) = (kw * dilation[1], self.geometry.out_size()[1]);
        let first = padding.left.saturating_sub(offset).div_ceil(stride[1]).min(width);
        let end = (padding.left + self.geometry.in_size[1]).saturating_sub(offset).div_ceil(stride[1]);
        first..end.clamp(first, width)
    }

    /// Adds to the sums of the columns `first..first + N` of taps what these cells contribute.
    ///
    /// # Safety
    /// As [`strip::Body::run`]; these taps of these cells lie on the input.
    #[inline(always)]
    unsafe fn add<S: Simd, const NV: usize, const N: usize>(
        &mut self,
        simd: S,
        strip: Strip<S, NV>,
        channel: usize,
        first: usize,
        cells: Range<usize>,
    ) {
        if cells.is_empty() {
            return;
        }
        let Conv2dGeometry { stride, dilation, padding, .. } = self.geometry;
        let (map, out_map) = (self.geometry.input(), self.geometry.output());
        let mut sums = [strip.splat(0.0); N];
        // SAFETY: the caller's promise; there is a sum for each channel of each column of taps.
        unsafe {
            for ow in cells {
                let grad = strip.load(self.grad.as_ptr().add(ow * out_map.stride + channel));
                let column = ow * stride[1] + first * dilation[1] - padding.left;
                let x = self.input.as_ptr().add(column * map.stride + channel);
                for (tap, sum) in sums.iter_mut().enumerate() {
                    let x = strip.load(x.add(tap * dilation[1] * map.stride));
                    for v in 0..NV {
                        sum[v] = simd.mul_add(x[v], grad[v], sum[v]);
                    }
                }
            }
            for (tap, mut sum) in sums.into_iter().enumerate() {
                let to = self.sums.as_mut_ptr().add((first + tap) * self.geometry.groups + channel);
                let before = strip.load(to);
                for v in 0..NV {
                    sum[v] = simd.add(sum[v], before[v]);
                }
                strip.store(to, sum);
            }
        }
    }
}
