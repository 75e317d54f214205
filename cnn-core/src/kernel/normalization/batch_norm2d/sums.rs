//! Sums over all rows of a batch for each channel: its statistics, and the gradients of weight and bias.
//!
//! Rows are cut into chunks, a task each; a task adds up blocks of rows in f32, which is exact enough for so few, and the
//! blocks in f64; and in the end the chunks are added in f64, in their order.

use super::apply::{Buffer, Line};
use super::{Affine, Returned, Saved, SavedMut, StatisticsMut};
use crate::kernel::geometry::{BatchNorm2dGeometry, Map};
use crate::kernel::isa::{self, Kernel, Simd};
use crate::kernel::memory::chunk::{self, Target};
use crate::kernel::rows::strip::{self, CHANNELS, Strip};
use core::array::from_fn;

/// Chunks at most: their sums are kept.
pub(crate) const CHUNKS: usize = 32;
/// Values of a chunk at least.
const CHUNK: usize = 1 << 15;
/// Rows of a block: of 64 channels they stay in the first-level cache, and are read twice.
const BLOCK: usize = 128;

fn chunks(rows: usize, channels: usize) -> usize {
    (rows * channels / CHUNK).clamp(1, CHUNKS).min(rows)
}

/// Two sums for each channel of each chunk: `[chunk][2][channels]`.
#[derive(Clone, Copy)]
struct Partials {
    target: Target,
    channels: usize,
}

impl Partials {
    /// # Safety
    /// Only this task writes these channels of the chunk.
    unsafe fn write(self, chunk: usize, channel: usize, count: usize, sums: [&[f64; CHANNELS]; 2]) {
        for (index, sums) in sums.into_iter().enumerate() {
            let start = (2 * chunk + index) * self.channels + channel;
            // SAFETY: the caller's promise.
            let partial = unsafe { self.target.slice(start, count) };
            partial.iter_mut().zip(sums).for_each(|(partial, sum)| *partial = *sum as f32);
        }
    }
}

pub(crate) fn inverse_deviation(geometry: &BatchNorm2dGeometry, variance: f64) -> f32 {
    (1.0 / (variance + geometry.eps).sqrt()) as f32
}

/// Mean and inverse deviation of each channel of `rows > 1` rows; the running statistics move.
pub(crate) fn statistics(
    geometry: &BatchNorm2dGeometry,
    rows: usize,
    input: &[f32],
    running: Option<StatisticsMut<'_>>,
    saved: SavedMut<'_>,
    shared: &mut [f32],
) {
    let mut found = Found::new(geometry, rows as f64, running, saved);
    moments(geometry, rows, input, shared, |channel, moments| found.put(channel, moments));
}

/// Where statistics of so many rows go.
pub(super) struct Found<'a> {
    geometry: &'a BatchNorm2dGeometry,
    rows: f64,
    running: Option<StatisticsMut<'a>>,
    share_of_batch: f64,
    saved: SavedMut<'a>,
}

impl<'a> Found<'a> {
    pub(super) fn new(
        geometry: &'a BatchNorm2dGeometry,
        rows: f64,
        running: Option<StatisticsMut<'a>>,
        saved: SavedMut<'a>,
    ) -> Self {
        let channels = geometry.channels;
        assert!(saved.mean.len() == channels && saved.inverse_deviation.len() == channels);
        if let Some(running) = &running {
            assert!(running.mean.len() == channels && running.variance.len() == channels);
        }
        let share_of_batch = running.as_ref().map_or(0.0, |running| geometry.share(running.batches));
        Self { geometry, rows, running, share_of_batch, saved }
    }

    #[inline(always)]
    pub(super) fn put(&mut self, channel: usize, Moments { mean, squares }: Moments) {
        self.saved.mean[channel] = mean as f32;
        self.saved.inverse_deviation[channel] = inverse_deviation(self.geometry, squares / self.rows);
        if let Some(running) = &mut self.running {
            let towards = |running: &mut f32, value: f64| {
                *running = ((1.0 - self.share_of_batch) * f64::from(*running) + self.share_of_batch * value) as f32;
            };
            towards(&mut running.mean[channel], mean);
            towards(&mut running.variance[channel], squares / (self.rows - 1.0));
        }
    }
}

/// The mean of each channel of `rows > 0` rows and the squares of the distances to it: `each` gets them, channel by channel.
pub(super) fn moments(
    geometry: &BatchNorm2dGeometry,
    rows: usize,
    input: &[f32],
    shared: &mut [f32],
    mut each: impl FnMut(usize, Moments),
) {
    let channels = geometry.channels;
    let chunks = chunks(rows, channels);
    let partials = &mut shared[..2 * chunks * channels];
    let job = StatisticsJob {
        map: geometry.input(),
        input: input.as_ptr(),
        partials: Partials { target: Target::new(partials), channels },
    };
    let isa = isa::current();
    let cut = |chunk: usize| chunk * rows / chunks;
    chunk::for_each(chunks, 2 * rows * channels, |chunk| {
        isa.run(StatisticsTask { job: &job, chunk, first: cut(chunk), end: cut(chunk + 1) });
    });

    // The same for all channels, and a division takes as long as all the rest.
    let shares: [f64; CHUNKS] = from_fn(|chunk| (cut(chunk + 1) - cut(chunk)) as f64 / cut(chunk + 1) as f64);
    for channel in 0..channels {
        let mut total = Moments::default();
        for (chunk, share) in shares[..chunks].iter().enumerate() {
            let [mean, squares] = [0, 1].map(|index| f64::from(partials[(2 * chunk + index) * channels + channel]));
            total.merge(cut(chunk) as f64, *share, Moments { mean, squares });
        }
        total.mean += f64::from(input[channel]);
        each(channel, total);
    }
}

/// The mean of some values, and the sum of the squares of their distances to it.
#[derive(Clone, Copy, Default)]
pub(super) struct Moments {
    pub(super) mean: f64,
    pub(super) squares: f64,
}

impl Moments {
    /// Those of `before` values become those of more, of which `share` are new.
    /// <https://en.wikipedia.org/wiki/Algorithms_for_calculating_variance#Parallel_algorithm>
    #[inline(always)]
    fn merge(&mut self, before: f64, share: f64, new: Self) {
        let distance = new.mean - self.mean;
        self.mean += distance * share;
        self.squares += new.squares + distance * distance * before * share;
    }
}

struct StatisticsJob {
    map: Map,
    input: *const f32,
    partials: Partials,
}

// SAFETY: the pointer is only read through, and lives as long as the slice that the shell borrows.
unsafe impl Sync for StatisticsJob {}

struct StatisticsTask<'a> {
    job: &'a StatisticsJob,
    chunk: usize,
    first: usize,
    end: usize,
}

impl Kernel for StatisticsTask<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        // SAFETY: the shell has found `rows` rows in the input, of which this task has some to itself.
        unsafe { strip::for_each(simd, self.job.map.channels, &mut self) };
    }
}

impl strip::Body for StatisticsTask<'_> {
    /// # Safety
    /// The first row and the rows `first..end` lie in the input.
    #[inline(always)]
    unsafe fn run<S: Simd, const NV: usize>(&mut self, simd: S, strip: Strip<S, NV>, channel: usize) {
        let StatisticsJob { map, input, partials } = self.job;
        let count = strip.channels();
        let mut moments = [Moments::default(); CHANNELS];
        for first in (self.first..self.end).step_by(BLOCK) {
            let rows = BLOCK.min(self.end - first);
            // SAFETY: the caller's promise.
            let row = |row: usize| unsafe { strip.load(input.add((first + row) * map.stride + channel)) };
            let mut sum = strip.splat(0.0);
            for r in 0..rows {
                let x = row(r);
                for v in 0..NV {
                    sum[v] = simd.add(sum[v], x[v]);
                }
            }
            let share = simd.splat(1.0 / rows as f32);
            let mut mean = sum;
            for v in 0..NV {
                mean[v] = simd.mul(sum[v], share);
            }
            let (mut rest, mut squares) = (strip.splat(0.0), strip.splat(0.0));
            for r in 0..rows {
                let x = row(r);
                for v in 0..NV {
                    let distance = simd.sub(x[v], mean[v]);
                    rest[v] = simd.add(rest[v], distance);
                    squares[v] = simd.mul_add(distance, distance, squares[v]);
                }
            }
            // The mean of a block is rounded; the distances to it say by how much.
            let (mean, rest, squares) = (strip.to_array(mean), strip.to_array(rest), strip.to_array(squares));
            let before = (first - self.first) as f64;
            let (share, one) = (rows as f64 / (before + rows as f64), 1.0 / rows as f64);
            for (c, moments) in moments[..count].iter_mut().enumerate() {
                let off = f64::from(rest[c]) * one;
                let squares = f64::from(squares[c]) - f64::from(rest[c]) * off;
                moments.merge(before, share, Moments { mean: f64::from(mean[c]) + off, squares });
            }
        }
        // The means of chunks are kept as distances to the first row: its rounding would be large beside those.
        // SAFETY: the caller's promise.
        let origin = strip.to_array(unsafe { strip.load(input.add(channel)) });
        let (mut mean, mut squares) = ([0.0; CHANNELS], [0.0; CHANNELS]);
        for (c, moments) in moments[..count].iter().enumerate() {
            (mean[c], squares[c]) = (moments.mean - f64::from(origin[c]), moments.squares);
        }
        // SAFETY: each strip of each chunk is written once.
        unsafe { partials.write(self.chunk, channel, count, [&mean, &squares]) };
    }
}

/// The gradients of weight and bias.
pub(crate) fn gradient(
    geometry: &BatchNorm2dGeometry,
    rows: usize,
    saved: Saved<'_>,
    affine: Option<Affine<'_>>,
    input: &[f32],
    returned: Returned<'_>,
    grad_weight: &mut [f32],
    grad_bias: &mut [f32],
    shared: &mut [f32],
) {
    let channels = geometry.channels;
    if rows == 0 {
        // There are no statistics either.
        grad_weight.fill(0.0);
        grad_bias.fill(0.0);
        return;
    }
    let chunks = chunks(rows, channels);
    let partials = &mut shared[..2 * chunks * channels];
    let job = GradientJob {
        maps: [geometry.input(), geometry.output()],
        saved,
        affine,
        input,
        returned,
        partials: Partials { target: Target::new(partials), channels },
    };
    let isa = isa::current();
    let cut = |chunk: usize| chunk * rows / chunks;
    chunk::for_each(chunks, 2 * rows * channels, |chunk| {
        isa.run(GradientTask { job: &job, chunk, first: cut(chunk), end: cut(chunk + 1) });
    });

    for channel in 0..channels {
        let total = |index: usize| -> f64 {
            (0..chunks).map(|chunk| f64::from(partials[(2 * chunk + index) * channels + channel])).sum()
        };
        grad_bias[channel] = total(0) as f32;
        grad_weight[channel] = (total(1) * f64::from(saved.inverse_deviation[channel])) as f32;
    }
}

struct GradientJob<'a> {
    /// Input and output.
    maps: [Map; 2],
    saved: Saved<'a>,
    affine: Option<Affine<'a>>,
    input: &'a [f32],
    returned: Returned<'a>,
    partials: Partials,
}

struct GradientTask<'a> {
    job: &'a GradientJob<'a>,
    chunk: usize,
    first: usize,
    end: usize,
}

impl Kernel for GradientTask<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        // SAFETY: the shell has found `rows` rows in all maps, of which this task has some to itself.
        unsafe { strip::for_each(simd, self.job.maps[0].channels, &mut self) };
    }
}

impl strip::Body for GradientTask<'_> {
    /// # Safety
    /// The rows `first..end` lie in the input and in the gradient.
    #[inline(always)]
    unsafe fn run<S: Simd, const NV: usize>(&mut self, simd: S, strip: Strip<S, NV>, channel: usize) {
        let GradientJob { maps: [map, out_map], saved, affine, input, returned, partials } = *self.job;
        let Returned { fused, grad_output } = returned;
        let count = strip.channels();
        // SAFETY: each channel has its numbers.
        let line = unsafe { Line::load(simd, &strip, saved, affine, channel) };
        let (mut sums, mut products) = ([0.0f64; CHANNELS], [0.0f64; CHANNELS]);
        let then = fused.then();
        let mut buffer = Buffer::new();
        let part = if then.is_some() { Buffer::rows::<S, NV>() } else { BLOCK };
        for first in (self.first..self.end).step_by(BLOCK) {
            let end = self.end.min(first + BLOCK);
            let (mut sum, mut product) = (strip.splat(0.0), strip.splat(0.0));
            for first in (first..end).step_by(part) {
                let rows = part.min(end - first);
                // SAFETY: the caller's promise.
                unsafe {
                    let input = (input.as_ptr().add(first * map.stride + channel), map.stride);
                    let mut grads = (grad_output.as_ptr().add(first * out_map.stride + channel), out_map.stride);
                    if let Some(then) = then {
                        grads = line.gradients(simd, &strip, then, rows, input, grads, &mut buffer);
                    }
                    for row in 0..rows {
                        let grad = strip.load(grads.0.add(row * grads.1));
                        let x = strip.load(input.0.add(row * input.1));
                        let grad = line.rectified(simd, fused, &x, grad);
                        for v in 0..NV {
                            sum[v] = simd.add(sum[v], grad[v]);
                            product[v] = simd.mul_add(grad[v], simd.sub(x[v], line.mean[v]), product[v]);
                        }
                    }
                }
            }
            let (sum, product) = (strip.to_array(sum), strip.to_array(product));
            for c in 0..count {
                sums[c] += f64::from(sum[c]);
                products[c] += f64::from(product[c]);
            }
        }
        // SAFETY: each strip of each chunk is written once.
        unsafe { partials.write(self.chunk, channel, count, [&sums, &products]) };
    }
}
