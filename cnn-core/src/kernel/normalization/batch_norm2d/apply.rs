//! What is done to each value once the sums are known.

use super::{Affine, Saved};
use crate::kernel::finish::{At, From};
use crate::kernel::geometry::{BatchNorm2dGeometry, Map};
use crate::kernel::isa::{self, Kernel, Simd};
use crate::kernel::memory::chunk::{self, Target};
use crate::kernel::rows::strip::{self, Strip};
use crate::kernel::{FusedActivation, Then, Write};
use core::mem::MaybeUninit;

/// Values of a piece of work.
const PIECE: usize = 1 << 14;
/// Values that another function is applied to at a time: the first-level cache has them.
const PART: usize = 1 << 12;

/// What a normalization does to the values of a strip of channels: `(x - mean) * scale + bias`.
pub(super) struct Line<S: Simd, const NV: usize> {
    pub(super) mean: [S::Vector; NV],
    scale: [S::Vector; NV],
    bias: [S::Vector; NV],
}

impl<S: Simd, const NV: usize> Line<S, NV> {
    /// # Safety
    /// The channels from this one on have all numbers.
    #[inline(always)]
    pub(super) unsafe fn load(
        simd: S,
        strip: &Strip<S, NV>,
        saved: Saved<'_>,
        affine: Option<Affine<'_>>,
        channel: usize,
    ) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            let mean = strip.load(saved.mean.as_ptr().add(channel));
            let mut scale = strip.load(saved.inverse_deviation.as_ptr().add(channel));
            let mut bias = strip.splat(0.0);
            if let Some(affine) = affine {
                let weight = strip.load(affine.weight.as_ptr().add(channel));
                for v in 0..NV {
                    scale[v] = simd.mul(scale[v], weight[v]);
                }
                bias = strip.load(affine.bias.as_ptr().add(channel));
            }
            Self { mean, scale, bias }
        }
    }

    #[inline(always)]
    fn apply(&self, simd: S, x: &mut [S::Vector; NV]) {
        let Self { mean, scale, bias } = self;
        for (v, x) in x.iter_mut().enumerate() {
            *x = simd.mul_add(simd.sub(*x, mean[v]), scale[v], bias[v]);
        }
    }

    /// The gradient of what a rectifier for registers was given of `x`.
    #[inline(always)]
    pub(super) fn rectified(
        &self,
        simd: S,
        fused: FusedActivation,
        x: &[S::Vector; NV],
        mut grad: [S::Vector; NV],
    ) -> [S::Vector; NV] {
        if matches!(fused, FusedActivation::Relu | FusedActivation::Relu6) {
            let mut y = *x;
            self.apply(simd, &mut y);
            fused.apply(simd, &mut y);
            for v in 0..NV {
                grad[v] = fused.gradient(simd, y[v], grad[v]);
            }
        }
        grad
    }

    /// Writes the gradients of what a function was given of some rows of `x` into the buffer: what it was given is reckoned
    /// again from the input, which takes less time than reading it would.
    ///
    /// # Safety
    /// All rows have the strip's channels, and there are at most [`Buffer::rows`] of them.
    #[inline(always)]
    pub(super) unsafe fn gradients(
        &self,
        simd: S,
        strip: &Strip<S, NV>,
        then: &Then,
        rows: usize,
        x: At<*const f32>,
        grad: At<*const f32>,
        buffer: &mut Buffer,
    ) -> At<*const f32> {
        let (to, step) = (buffer.0.as_mut_ptr().cast::<f32>(), NV * S::LANES);
        // SAFETY: the caller's promise; the buffer has as many rows of the strip's vectors.
        unsafe {
            for row in 0..rows {
                let mut y = strip.load(x.0.add(row * x.1));
                self.apply(simd, &mut y);
                strip.store(to.add(row * step), y);
            }
            let (size, read) = ([rows, strip.channels()], [(to.cast_const(), step), grad]);
            (then.gradients)(then.function, simd.isa(), size, From::Input, read, (to, step));
        }
        (to, step)
    }
}

/// Gradients of some rows of a strip, in the first-level cache.
pub(super) struct Buffer(MaybeUninit<[f32; BUFFER]>);

/// Values of a buffer: 32 rows of the widest strip.
const BUFFER: usize = 32 * strip::CHANNELS;

impl Buffer {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self(MaybeUninit::uninit())
    }

    /// How many rows of a strip of so many vectors fit.
    pub(super) const fn rows<S: Simd, const NV: usize>() -> usize {
        BUFFER / (NV * S::LANES)
    }
}

/// `rectifier((x - mean) * inverse * weight + bias)`.
#[derive(Clone, Copy)]
pub(crate) struct Forward<'a> {
    pub(crate) geometry: &'a BatchNorm2dGeometry,
    pub(crate) saved: Saved<'a>,
    pub(crate) affine: Option<Affine<'a>>,
    pub(crate) fused: FusedActivation,
}

impl Forward<'_> {
    /// The shell has found `rows` rows in both maps, which may be the same.
    pub(crate) fn run(self, rows: usize, input: *const f32, output: Target) {
        let channels = self.geometry.channels;
        assert!(self.saved.mean.len() == channels && self.saved.inverse_deviation.len() == channels);
        check_affine(self.affine, channels);
        let job = ForwardJob { forward: self, input, output };
        let isa = isa::current();
        let piece = PIECE.div_ceil(channels);
        chunk::for_each(rows.div_ceil(piece), 2 * rows * channels, |index| {
            let (first, end) = (index * piece, rows.min((index + 1) * piece));
            isa.run(ForwardTask { job: &job, first, end });
        });
    }
}

struct ForwardJob<'a> {
    forward: Forward<'a>,
    input: *const f32,
    output: Target,
}

// SAFETY: the pointer lives as long as the slice that the shell borrows, and is only read through.
unsafe impl Sync for ForwardJob<'_> {}

struct ForwardTask<'a> {
    job: &'a ForwardJob<'a>,
    first: usize,
    end: usize,
}

impl Kernel for ForwardTask<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { job, first, end } = self;
        let Forward { geometry, fused, .. } = job.forward;
        let [channels, step] = [geometry.channels, geometry.output().stride];
        let Some(then) = fused.then() else {
            // SAFETY: the rows lie in all maps, and this task has them to itself.
            return unsafe { strip::for_each(simd, channels, &mut ForwardTask { job, first, end }) };
        };
        let part = PART.div_ceil(channels);
        for first in (first..end).step_by(part) {
            let rows = part.min(end - first);
            // SAFETY: as above.
            unsafe {
                strip::for_each(simd, channels, &mut ForwardTask { job, first, end: first + rows });
                let to = job.output.pointer(first * step, (rows - 1) * step + channels);
                then.apply(simd.isa(), [rows, channels], (to, step));
            }
        }
    }
}

impl strip::Body for ForwardTask<'_> {
    /// # Safety
    /// The rows `first..end` lie in input and output, and no other task touches them; each channel has its numbers.
    #[inline(always)]
    unsafe fn run<S: Simd, const NV: usize>(&mut self, simd: S, strip: Strip<S, NV>, channel: usize) {
        let ForwardJob { forward: Forward { geometry, saved, affine, fused }, input, output } = *self.job;
        let [from, to] = [geometry.input().stride, geometry.output().stride];
        let len = self.end * to - to + geometry.channels;
        let output = output.pointer(0, len);
        // SAFETY: the caller's promise.
        unsafe {
            let line = Line::load(simd, &strip, saved, affine, channel);
            for row in self.first..self.end {
                let mut x = strip.load(input.add(row * from + channel));
                line.apply(simd, &mut x);
                fused.apply(simd, &mut x);
                strip.store(output.add(row * to + channel), x);
            }
        }
    }
}

/// Each channel has a factor and a summand, if there are some.
pub(super) fn check_affine(affine: Option<Affine<'_>>, channels: usize) {
    assert!(affine.is_none_or(|affine| affine.weight.len() == channels && affine.bias.len() == channels));
}

/// A whole batch: its rows, and the gradients of weight and bias.
#[derive(Clone, Copy)]
pub(super) struct OfBatch<'a> {
    pub(super) rows: f32,
    pub(super) weight: &'a [f32],
    pub(super) bias: &'a [f32],
}

/// `scale * (grad - mean(grad) - y * mean(grad * y))` with the normalized `y`; without the means where the statistics are
/// given.
#[derive(Clone, Copy)]
pub(crate) struct Backward<'a> {
    pub(crate) geometry: &'a BatchNorm2dGeometry,
    pub(crate) saved: Saved<'a>,
    pub(crate) affine: Option<Affine<'a>>,
    /// The batch that the statistics are of, if they are not given.
    pub(super) of_batch: Option<OfBatch<'a>>,
    pub(crate) write: Write,
    pub(crate) rows: usize,
}

impl Backward<'_> {
    /// The shell has found `rows` rows in all maps.
    /// They have what comes back there too, or it lies in the gradient of the input itself.
    pub(crate) fn run(
        self,
        input: &[f32],
        fused: FusedActivation,
        grad_output: Option<&[f32]>,
        grad_input: &mut [f32],
    ) {
        let channels = self.geometry.channels;
        let job = BackwardJob {
            backward: self,
            maps: [self.geometry.input(), self.geometry.output()],
            input,
            fused,
            grad_output: grad_output.map_or(grad_input.as_ptr(), <[f32]>::as_ptr),
            grad_input: Target::new(grad_input),
        };
        let isa = isa::current();
        let piece = PIECE.div_ceil(channels);
        chunk::for_each(self.rows.div_ceil(piece), 2 * self.rows * channels, |index| {
            let (first, end) = (index * piece, self.rows.min((index + 1) * piece));
            isa.run(BackwardTask { job: &job, first, end });
        });
    }
}

struct BackwardJob<'a> {
    backward: Backward<'a>,
    /// Input and output.
    maps: [Map; 2],
    input: &'a [f32],
    fused: FusedActivation,
    grad_output: *const f32,
    grad_input: Target,
}

// SAFETY: the pointer lives as long as the slices that the shell borrows; where it is the target, each task reads a value of its
// own rows before it writes it.
unsafe impl Sync for BackwardJob<'_> {}

struct BackwardTask<'a> {
    job: &'a BackwardJob<'a>,
    first: usize,
    end: usize,
}

impl Kernel for BackwardTask<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        // SAFETY: the rows lie in all maps, and this task has them to itself.
        unsafe { strip::for_each(simd, self.job.maps[0].channels, &mut self) };
    }
}

impl strip::Body for BackwardTask<'_> {
    /// # Safety
    /// The rows `first..end` lie in all maps, and no other task writes to them; each channel has its numbers.
    #[inline(always)]
    unsafe fn run<S: Simd, const NV: usize>(&mut self, simd: S, strip: Strip<S, NV>, channel: usize) {
        let BackwardJob { backward, maps: [map, out_map], input, fused, grad_output, grad_input } = *self.job;
        let Backward { saved, affine, of_batch, write, .. } = backward;
        let grad_input = grad_input.pointer(0, (self.end - 1) * map.stride + map.channels);
        // SAFETY: the caller's promise.
        unsafe {
            let line = Line::load(simd, &strip, saved, affine, channel);
            let inverse = strip.load(saved.inverse_deviation.as_ptr().add(channel));
            let means = of_batch.map(|OfBatch { rows, weight, bias }| {
                let share = simd.splat(1.0 / rows);
                let mut slope = strip.load(weight.as_ptr().add(channel));
                let mut shift = strip.load(bias.as_ptr().add(channel));
                for v in 0..NV {
                    slope[v] = simd.mul(simd.mul(slope[v], share), inverse[v]);
                    shift[v] = simd.mul(shift[v], share);
                }
                (slope, shift)
            });
            let then = fused.then();
            let reads_input = means.is_some() || matches!(fused, FusedActivation::Relu | FusedActivation::Relu6);
            let mut buffer = Buffer::new();
            let part = if then.is_some() { Buffer::rows::<S, NV>() } else { self.end - self.first };
            for first in (self.first..self.end).step_by(part) {
                let rows = part.min(self.end - first);
                let x = (input.as_ptr().add(first * map.stride + channel), map.stride);
                let grad_input = grad_input.add(first * map.stride + channel);
                let mut grads = (grad_output.add(first * out_map.stride + channel), out_map.stride);
                if let Some(then) = then {
                    grads = line.gradients(simd, &strip, then, rows, x, grads, &mut buffer);
                }
                for row in 0..rows {
                    let mut grad = strip.load(grads.0.add(row * grads.1));
                    let place = row * map.stride;
                    if reads_input {
                        let x = strip.load(x.0.add(place));
                        grad = line.rectified(simd, fused, &x, grad);
                        if let Some((slope, shift)) = means {
                            for v in 0..NV {
                                let moved = simd.mul_add(simd.sub(x[v], line.mean[v]), slope[v], shift[v]);
                                grad[v] = simd.sub(grad[v], moved);
                            }
                        }
                    }
                    for (grad, scale) in grad.iter_mut().zip(line.scale) {
                        *grad = simd.mul(*grad, scale);
                    }
                    if write == Write::Add {
                        let before = strip.load(grad_input.add(place));
                        for v in 0..NV {
                            grad[v] = simd.add(grad[v], before[v]);
                        }
                    }
                    strip.store(grad_input.add(place), grad);
                }
            }
        }
    }
}
