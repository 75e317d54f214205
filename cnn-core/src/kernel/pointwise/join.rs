//! Where branches meet: sums, products, and copies into some of the channels of a wider map.
//!
//! Maps are [`Rows`], so that each may be a part of a wider one. A gate has one value for each sample and channel and
//! meets all cells of its sample.

use crate::kernel::isa::{self, Kernel, Simd};
use crate::kernel::memory::chunk::{self, Target};
use crate::kernel::rows::strip::{self, Strip};
use crate::kernel::rows::{Rows, RowsMut, Values, map, map_then, then_backward};
use crate::kernel::{FusedActivation, Write};

/// output = a + b, rectified.
pub fn add(channels: usize, fused: FusedActivation, a: Rows<'_>, b: Rows<'_>, output: RowsMut<'_>) {
    map_then(channels, output, [Some(a), Some(b)], Write::Store, Sum(fused), fused.then());
}

/// y = y + x, rectified: a branch is added to the sum of those before it.
pub fn accumulate(channels: usize, fused: FusedActivation, x: Rows<'_>, y: RowsMut<'_>) {
    map_then(channels, y, [Some(x), None], Write::Store, Sum(fused), fused.then());
}

struct Sum(FusedActivation);

impl Values for Sum {
    #[inline(always)]
    fn value<S: Simd>(&self, simd: S, a: S::Vector, b: S::Vector) -> S::Vector {
        let mut sum = [simd.add(a, b)];
        self.0.apply(simd, &mut sum);
        sum[0]
    }
}

/// y = x.
pub fn copy(channels: usize, x: Rows<'_>, y: RowsMut<'_>) {
    struct Copy;
    impl Values for Copy {
        #[inline(always)]
        fn value<S: Simd>(&self, _: S, a: S::Vector, _: S::Vector) -> S::Vector {
            a
        }
    }
    map(channels, y, [Some(x), None], Write::Store, Copy);
}

/// output (+)= a * b, value by value. Backward it is its own twin: the gradient of one factor is that of the output times
/// the other.
pub fn multiply(channels: usize, a: Rows<'_>, b: Rows<'_>, output: RowsMut<'_>, write: Write) {
    map(channels, output, [Some(a), Some(b)], write, Product);
}

/// y = y * x.
pub fn multiply_in_place(channels: usize, x: Rows<'_>, y: RowsMut<'_>) {
    map(channels, y, [Some(x), None], Write::Store, Product);
}

struct Product;

impl Values for Product {
    #[inline(always)]
    fn value<S: Simd>(&self, simd: S, a: S::Vector, b: S::Vector) -> S::Vector {
        simd.mul(a, b)
    }
}

/// output of the forward pass, grad_output -> the gradient of what the rectifier got, in the same place: of the two for
/// registers, zero where they were flat.
///
/// # Panics
/// If it is a function of which equal values do not have equal slopes.
pub fn rectify_backward(channels: usize, fused: FusedActivation, output: Rows<'_>, grad_output: RowsMut<'_>) {
    struct Rectified(FusedActivation);
    impl Values for Rectified {
        #[inline(always)]
        fn value<S: Simd>(&self, simd: S, output: S::Vector, grad: S::Vector) -> S::Vector {
            self.0.gradient(simd, output, grad)
        }
    }
    match fused {
        FusedActivation::None => {}
        FusedActivation::Then(then) => then_backward(channels, then, output, grad_output),
        _ => map(channels, grad_output, [Some(output), None], Write::Store, Rectified(fused)),
    }
}

/// Rows of a piece of work, for which the sum of a channel is exact enough in one f32.
const ROWS: usize = 64;

/// Which rows meet which values of a gate.
#[derive(Clone, Copy, Debug)]
pub struct Gate {
    /// Channels of both.
    pub channels: usize,
    /// Cells of a sample, all of which its values meet.
    pub cells: usize,
}

impl Gate {
    /// How many samples a gate of this length has; `rows` have to be as many.
    fn samples(&self, gate: &[f32], rows: usize) -> usize {
        let samples = gate.len() / self.channels;
        assert_eq!(gate.len(), samples * self.channels);
        assert_eq!(samples.checked_mul(self.cells), Some(rows), "a gate has a value for each sample and channel");
        samples
    }
}

/// map `[n, h, w, c]`, gate `[n, c]` -> output (+)= map * gate. Backward to the map it is its own twin, with the gradient of
/// the output in the place of the map.
pub fn gate(geometry: Gate, map: Rows<'_>, gate: &[f32], output: RowsMut<'_>, write: Write) {
    let channels = geometry.channels;
    let [from, to] = [map.map(channels), output.map(channels)];
    let rows = from.samples(map.values.len());
    assert_eq!(to.samples(output.values.len()), rows);
    let samples = geometry.samples(gate, rows);
    let pieces = geometry.cells.div_ceil(ROWS);
    let target = Target::new(output.values);
    let isa = isa::current();
    chunk::for_each(samples * pieces, rows * channels, |index| {
        let (sample, first) = (index / pieces, index % pieces * ROWS);
        let gate = &gate[sample * channels..(sample + 1) * channels];
        let rows = sample * geometry.cells + first..sample * geometry.cells + geometry.cells.min(first + ROWS);
        isa.vectorize(
            #[inline(always)]
            || {
                for row in rows {
                    let map = &map.values[row * from.stride..][..channels];
                    // SAFETY: each row belongs to one piece.
                    let output = unsafe { target.slice(row * to.stride, channels) };
                    let values = output.iter_mut().zip(map.iter().zip(gate));
                    match write {
                        Write::Store => values.for_each(|(output, (map, gate))| *output = map * gate),
                        Write::Add => values.for_each(|(output, (map, gate))| *output += map * gate),
                    }
                }
            },
        );
    });
}

/// values `[n, h, w, c]` *= gate `[n, c]`.
pub fn gate_in_place(geometry: Gate, gate: &[f32], values: RowsMut<'_>) {
    let channels = geometry.channels;
    let map = values.map(channels);
    let rows = map.samples(values.values.len());
    geometry.samples(gate, rows);
    let pieces = rows.div_ceil(ROWS);
    let target = Target::new(values.values);
    let isa = isa::current();
    chunk::for_each(pieces, rows * channels, |piece| {
        let rows = piece * ROWS..rows.min((piece + 1) * ROWS);
        isa.vectorize(
            #[inline(always)]
            || {
                for row in rows {
                    let gate = &gate[row / geometry.cells * channels..][..channels];
                    // SAFETY: each row belongs to one piece.
                    let values = unsafe { target.slice(row * map.stride, channels) };
                    values.iter_mut().zip(gate).for_each(|(value, gate)| *value *= gate);
                }
            },
        );
    });
}

/// map, grad_output `[n, h, w, c]` -> grad_gate `[n, c]` (+)= the sum of their product over the cells of a sample.
pub fn gate_backward(geometry: Gate, map: Rows<'_>, grad_output: Rows<'_>, grad_gate: &mut [f32], write: Write) {
    let channels = geometry.channels;
    let [a, b] = [map.map(channels), grad_output.map(channels)];
    let rows = a.samples(map.values.len());
    assert_eq!(b.samples(grad_output.values.len()), rows);
    let samples = geometry.samples(grad_gate, rows);
    let strips = channels.div_ceil(strip::CHANNELS);
    let target = Target::new(grad_gate);
    let isa = isa::current();
    chunk::for_each(samples * strips, rows * channels, |index| {
        let (sample, first) = (index / strips, index % strips * strip::CHANNELS);
        let count = strip::CHANNELS.min(channels - first);
        // SAFETY: each strip of each sample is one piece.
        let sum = unsafe { target.slice(sample * channels + first, count) };
        let place = |stride: usize| sample * geometry.cells * stride + first;
        let [map, grad] = [&map.values[place(a.stride)..], &grad_output.values[place(b.stride)..]];
        if write == Write::Store {
            sum.fill(0.0);
        }
        isa.run(Dot { map: (map, a.stride), grad: (grad, b.stride), cells: geometry.cells, sum });
    });
}

/// Adds to `sum` the products of so many cells, summed.
struct Dot<'a> {
    map: (&'a [f32], usize),
    grad: (&'a [f32], usize),
    cells: usize,
    sum: &'a mut [f32],
}

impl Kernel for Dot<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let (len, last) = (self.sum.len(), self.cells - 1);
        for (values, stride) in [self.map, self.grad] {
            assert!(last * stride + len <= values.len());
        }
        // SAFETY: `len` values of each cell lie in both slices, as just checked, and as many are summed.
        unsafe { strip::for_each(simd, len, &mut self) };
    }
}

impl strip::Body for Dot<'_> {
    /// # Safety
    /// The strip's channels of all cells lie in both slices, and in the sum.
    #[inline(always)]
    unsafe fn run<S: Simd, const NV: usize>(&mut self, simd: S, strip: Strip<S, NV>, channel: usize) {
        let ((map, map_stride), (grad, grad_stride)) = (self.map, self.grad);
        let mut total = strip.splat(0.0);
        // A sum of sums: their terms are of a size.
        for first in (0..self.cells).step_by(ROWS) {
            let mut sum = strip.splat(0.0);
            for cell in first..self.cells.min(first + ROWS) {
                // SAFETY: the caller's promise.
                let (a, b) = unsafe {
                    (
                        strip.load(map.as_ptr().add(cell * map_stride + channel)),
                        strip.load(grad.as_ptr().add(cell * grad_stride + channel)),
                    )
                };
                for v in 0..NV {
                    sum[v] = simd.mul_add(a[v], b[v], sum[v]);
                }
            }
            for v in 0..NV {
                total[v] = simd.add(total[v], sum[v]);
            }
        }
        // SAFETY: the caller's promise.
        unsafe {
            let to = self.sum.as_mut_ptr().add(channel);
            let before = strip.load(to);
            for v in 0..NV {
                total[v] = simd.add(total[v], before[v]);
            }
            strip.store(to, total);
        }
    }
}
