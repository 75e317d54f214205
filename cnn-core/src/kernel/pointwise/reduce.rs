//! Reductions: the values of a cell, of a channel, or of a sample become one. A sum is one of few partial sums in a fixed order,
//! whatever the number of threads is.

use super::math;
use crate::kernel::Write;
use crate::kernel::geometry::{Map, Over, Reduction, ReductionGeometry};
use crate::kernel::isa::{self, Kernel, Simd, vectors};
use crate::kernel::memory::chunk::{self, Target};

/// Values of a piece of work.
const PIECE: usize = 1 << 15;
/// Rows that are added up before their sum is added to that of others, so that rounding stays small.
const BLOCK: usize = 64;

/// input `[n, cells, channels]` -> output `[n, cells, 1]`, `[n, 1, channels]` or `[n, 1]`.
///
/// # Panics
/// If they are not of equally many samples.
#[inline]
pub fn forward(geometry: &ReductionGeometry, input: &[f32], output: &mut [f32]) {
    let (from, to) = (geometry.input(), geometry.output());
    let samples = samples(geometry, input.len());
    assert_eq!(to.samples(output.len()), samples, "both maps have the same samples");
    let (isa, target, reduction) = (isa::current(), Target::new(output), geometry.reduction);
    let (channels, cells) = (geometry.channels, geometry.cells);
    let work = samples * cells * channels * cost(reduction);
    let scale = if reduction == Reduction::Mean { 1.0 / geometry.count() as f32 } else { 1.0 };
    match geometry.over {
        Over::Channels => {
            let (rows, piece) = (samples * cells, PIECE.div_ceil(channels * cost(reduction)));
            chunk::for_each(rows.div_ceil(piece), work, |index| {
                for row in index * piece..rows.min((index + 1) * piece) {
                    let line = Line { start: input[row * from.stride..].as_ptr(), rows: 1, step: 0, width: channels };
                    // SAFETY: the row lies in the input, whose length was checked, and its value is exclusively ours.
                    unsafe { *target.pointer(row * to.stride, 1) = isa.run(Fold { line, reduction, scale }) };
                }
            });
        }
        Over::All => chunk::for_each(samples, work, |sample| {
            let line = all_of(from, channels, input, sample);
            // SAFETY: as above.
            unsafe { *target.pointer(sample * to.sample_step(), 1) = isa.run(Fold { line, reduction, scale }) };
        }),
        Over::Space => chunk::for_each(samples, work, |sample| {
            let line = Line {
                width: channels,
                rows: cells,
                step: from.stride,
                start: input[sample * from.sample_step()..].as_ptr(),
            };
            let to = target.pointer(sample * to.sample_step(), channels);
            isa.run(Columns { line, to, reduction, scale });
        }),
    }
}

/// input and output of the forward pass, as far as the gradient looks at them (not of sums and means), grad_output -> grad_input.
///
/// # Panics
/// If they are not of equally many samples.
#[inline]
pub fn backward(
    geometry: &ReductionGeometry,
    input: &[f32],
    output: &[f32],
    grad_output: &[f32],
    grad_input: &mut [f32],
    write: Write,
) {
    let (from, to) = (geometry.input(), geometry.output());
    let samples = samples(geometry, grad_input.len());
    assert_eq!(to.samples(grad_output.len()), samples, "both maps have the same samples");
    let looks = !matches!(geometry.reduction, Reduction::Sum | Reduction::Mean);
    if looks {
        assert_eq!(
            [from.samples(input.len()), to.samples(output.len())],
            [samples; 2],
            "all maps have the same samples"
        );
    }
    let (isa, target, reduction) = (isa::current(), Target::new(grad_input), geometry.reduction);
    let (channels, cells, add) = (geometry.channels, geometry.cells, write == Write::Add);
    let scale = if reduction == Reduction::Mean { 1.0 / geometry.count() as f32 } else { 1.0 };
    if reduction == Reduction::Max {
        return max_backward(geometry, input, output, grad_output, target, samples, add);
    }
    let (rows, piece) = (samples * cells, PIECE.div_ceil(channels * cost(reduction)));
    chunk::for_each(rows.div_ceil(piece), rows * channels * cost(reduction), |index| {
        for row in index * piece..rows.min((index + 1) * piece) {
            let sample = row / cells;
            let (at, wide) = match geometry.over {
                Over::Channels => (row * to.stride, false),
                Over::Space => (sample * to.sample_step(), true),
                Over::All => (sample * to.sample_step(), false),
            };
            let place = row * from.stride;
            let [input, output] = [(input, place), (output, at)]
                .map(|(values, place)| if looks { values[place..].as_ptr() } else { core::ptr::null() });
            let (grad, to) = (grad_output[at..].as_ptr(), target.pointer(place, channels));
            isa.run(Slopes { input, output, grad, to, width: channels, wide, reduction, scale, add });
        }
    });
}

fn samples(geometry: &ReductionGeometry, len: usize) -> usize {
    if geometry.cells == 0 || geometry.channels == 0 { 0 } else { geometry.input().samples(len) }
}

/// Values that take about as long as one that is only moved.
const fn cost(reduction: Reduction) -> usize {
    if matches!(reduction, Reduction::LogSumExp) { 4 } else { 1 }
}

/// A sample, as one row where it stands alone.
fn all_of(map: Map, channels: usize, input: &[f32], sample: usize) -> Line {
    let start = input[sample * map.sample_step()..].as_ptr();
    if map.is_dense() {
        Line { start, rows: 1, step: 0, width: map.cells() * channels }
    } else {
        Line { start, rows: map.cells(), step: map.stride, width: channels }
    }
}

/// Rows of values.
#[derive(Clone, Copy)]
struct Line {
    start: *const f32,
    rows: usize,
    step: usize,
    width: usize,
}

/// So many values, and this one behind them.
///
/// # Safety
/// `from` is valid for reads of `count` values.
#[inline(always)]
unsafe fn load_or<S: Simd>(simd: S, from: *const f32, count: usize, rest: f32) -> S::Vector {
    if count == S::LANES {
        // SAFETY: the caller's promise.
        return unsafe { simd.load(from) };
    }
    let mut lanes = [rest; isa::MAX_LANES];
    // SAFETY: the caller's promise; no vector has more lanes.
    unsafe {
        core::ptr::copy_nonoverlapping(from, lanes.as_mut_ptr(), count);
        simd.load(lanes.as_ptr())
    }
}

/// The larger ones, NaN where one is.
#[inline(always)]
fn larger<S: Simd>(simd: S, x: S::Vector, best: S::Vector) -> S::Vector {
    // A NaN beats all, also one that is there.
    let beaten = simd.select(simd.beats(x, best), x, best);
    simd.select(simd.equal(best, best), beaten, best)
}

/// All values of a line become one.
struct Fold {
    line: Line,
    reduction: Reduction,
    scale: f32,
}

impl Kernel for Fold {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f32 {
        let Self { line, reduction, scale } = self;
        // SAFETY: the line's rows are in memory.
        unsafe {
            match reduction {
                Reduction::Max => largest(simd, line),
                Reduction::Sum | Reduction::Mean => sum(simd, line, |x| x, 0.0) * scale,
                Reduction::Norm => sum(simd, line, |x| simd.mul(x, x), 0.0).sqrt(),
                Reduction::LogSumExp => {
                    let largest = largest(simd, line);
                    if !largest.is_finite() {
                        return largest;
                    }
                    let shift = simd.splat(largest);
                    sum(simd, line, |x| math::exp(simd, simd.sub(x, shift)), f32::NEG_INFINITY).ln() + largest
                }
            }
        }
    }
}

/// # Safety
/// The line's rows are in memory.
#[inline(always)]
unsafe fn largest<S: Simd>(simd: S, line: Line) -> f32 {
    let mut best = simd.splat(f32::NEG_INFINITY);
    for row in 0..line.rows {
        for (start, count) in vectors::<S>(line.width) {
            // SAFETY: the caller's promise.
            let x = unsafe { load_or(simd, line.start.add(row * line.step + start), count, f32::NEG_INFINITY) };
            best = larger(simd, x, best);
        }
    }
    math::fold(simd, best, f32::NEG_INFINITY, |best, x| if x > best || x.is_nan() { x } else { best })
}

/// The sum of what becomes of each value.
///
/// # Safety
/// The line's rows are in memory.
#[inline(always)]
unsafe fn sum<S: Simd>(simd: S, line: Line, each: impl Fn(S::Vector) -> S::Vector, rest: f32) -> f32 {
    /// Vectors of a row that are added up before their sum is added to that of others.
    const VECTORS: usize = 64;
    let (zero, mut sum) = (simd.splat(0.0), simd.splat(0.0));
    for rows in (0..line.rows).step_by(BLOCK) {
        let mut block = zero;
        for row in rows..line.rows.min(rows + BLOCK) {
            for first in (0..line.width).step_by(VECTORS * S::LANES) {
                let mut part = [zero; 4];
                let width = (line.width - first).min(VECTORS * S::LANES);
                for (index, (start, count)) in vectors::<S>(width).enumerate() {
                    // SAFETY: the caller's promise.
                    let x = unsafe { load_or(simd, line.start.add(row * line.step + first + start), count, rest) };
                    part[index % 4] = simd.add(part[index % 4], each(x));
                }
                block = simd.add(block, simd.add(simd.add(part[0], part[1]), simd.add(part[2], part[3])));
            }
        }
        sum = simd.add(sum, block);
    }
    math::sum(simd, sum)
}

/// The values of each column become one.
struct Columns {
    line: Line,
    to: *mut f32,
    reduction: Reduction,
    scale: f32,
}

impl Kernel for Columns {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { line, to, reduction, scale } = self;
        let zero = simd.splat(0.0);
        for (start, count) in vectors::<S>(line.width) {
            // SAFETY: the rows are in memory, and the target is exclusively ours.
            unsafe {
                let load = |row: usize| simd.load_some(line.start.add(row * line.step + start), count);
                let total = |each: &dyn Fn(S::Vector) -> S::Vector| {
                    let mut sum = zero;
                    for rows in (0..line.rows).step_by(BLOCK) {
                        let mut block = zero;
                        for row in rows..line.rows.min(rows + BLOCK) {
                            block = simd.add(block, each(load(row)));
                        }
                        sum = simd.add(sum, block);
                    }
                    sum
                };
                let best =
                    || (0..line.rows).fold(simd.splat(f32::NEG_INFINITY), |best, row| larger(simd, load(row), best));
                let value = match reduction {
                    Reduction::Sum | Reduction::Mean => simd.mul(total(&|x| x), simd.splat(scale)),
                    Reduction::Norm => simd.sqrt(total(&|x| simd.mul(x, x))),
                    Reduction::Max => best(),
                    Reduction::LogSumExp => {
                        let best = best();
                        let is_finite = simd.less(math::absolute(simd, best), simd.splat(f32::INFINITY));
                        let shift = simd.select(is_finite, best, zero);
                        let sum = total(&|x| math::exp(simd, simd.sub(x, shift)));
                        simd.select(is_finite, simd.add(math::ln(simd, sum), shift), best)
                    }
                };
                simd.store_some(to.add(start), count, value);
            }
        }
    }
}

/// The gradient of a row.
struct Slopes {
    input: *const f32,
    output: *const f32,
    grad: *const f32,
    to: *mut f32,
    width: usize,
    /// Whether there is a value of the output for each of the row's, and not one for all.
    wide: bool,
    reduction: Reduction,
    scale: f32,
    add: bool,
}

impl Kernel for Slopes {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { input, output, grad, to, width, wide, reduction, scale, add } = self;
        for (start, count) in vectors::<S>(width) {
            // SAFETY: the row is in memory, as is what its gradient is told from, and the target is exclusively ours.
            unsafe {
                let of = |from: *const f32| {
                    if wide { simd.load_some(from.add(start), count) } else { simd.splat(*from) }
                };
                let grad = of(grad);
                let slope = match reduction {
                    Reduction::Sum | Reduction::Max => grad,
                    Reduction::Mean => simd.mul(grad, simd.splat(scale)),
                    Reduction::LogSumExp => {
                        let x = simd.load_some(input.add(start), count);
                        simd.mul(grad, math::exp(simd, simd.sub(x, of(output))))
                    }
                    // As PyTorch, none of no length.
                    Reduction::Norm => {
                        let (x, length, zero) = (simd.load_some(input.add(start), count), of(output), simd.splat(0.0));
                        let slope = simd.div(simd.mul(grad, x), length);
                        simd.select(simd.equal(length, zero), zero, slope)
                    }
                };
                let to = to.add(start);
                let slope = if add { simd.add(slope, simd.load_some(to, count)) } else { slope };
                simd.store_some(to, count, slope);
            }
        }
    }
}

/// The first of the largest values gets all of the gradient.
#[inline]
fn max_backward(
    geometry: &ReductionGeometry,
    input: &[f32],
    output: &[f32],
    grad_output: &[f32],
    target: Target,
    samples: usize,
    add: bool,
) {
    let (from, to) = (geometry.input(), geometry.output());
    let (channels, cells) = (geometry.channels, geometry.cells);
    let is = |x: f32, best: f32| x == best || x.is_nan() && best.is_nan();
    chunk::for_each(samples, samples * cells * channels, |sample| {
        let (read, write) = (sample * from.sample_step(), sample * to.sample_step());
        let row = |cell: usize| &input[read + cell * from.stride..][..channels];
        // SAFETY: the cells of a sample are exclusively ours, and one at a time.
        let grad_row = |cell: usize| unsafe { target.slice(read + cell * from.stride, channels) };
        if !add {
            (0..cells).for_each(|cell| grad_row(cell).fill(0.0));
        }
        match geometry.over {
            Over::Channels => {
                for cell in 0..cells {
                    let at = write + cell * to.stride;
                    if let Some(first) = row(cell).iter().position(|x| is(*x, output[at])) {
                        grad_row(cell)[first] += grad_output[at];
                    }
                }
            }
            Over::Space => {
                for channel in 0..channels {
                    if let Some(first) = (0..cells).find(|cell| is(row(*cell)[channel], output[write + channel])) {
                        grad_row(first)[channel] += grad_output[write + channel];
                    }
                }
            }
            Over::All => {
                // The first in PyTorch's order, channel by channel.
                let places = (0..channels).flat_map(|channel| (0..cells).map(move |cell| (cell, channel)));
                if let Some((cell, channel)) =
                    { places }.find(|(cell, channel)| is(row(*cell)[*channel], output[write]))
                {
                    grad_row(cell)[channel] += grad_output[write];
                }
            }
        }
    });
}
