//! Softmax of each row of channels, or of each row of a map, channel by channel; and its logarithm. <https://pytorch.org/docs/stable/generated/torch.nn.Softmax.html>

use super::math;
use crate::kernel::Write;
use crate::kernel::isa::{MAX_LANES, Simd, vectors};
use crate::kernel::rows::{Row, Rows, RowsMut, for_each};
use crate::shape::window;

/// input `[.., channels]` -> output `[.., channels]`: `exp(x) / sum exp(x)` in each row.
#[inline]
pub fn forward(channels: usize, input: Rows<'_>, output: RowsMut<'_>) {
    for_each(channels, output, [input], &Forward { logarithm: false });
}

/// input `[.., channels]` -> output `[.., channels]`: `x - ln sum exp(x)` in each row.
#[inline]
pub fn log_forward(channels: usize, input: Rows<'_>, output: RowsMut<'_>) {
    for_each(channels, output, [input], &Forward { logarithm: true });
}

/// output of [`forward`], grad_output -> grad_input: `y * (grad - sum(grad * y))` in each row.
#[inline]
pub fn backward(channels: usize, output: Rows<'_>, grad_output: Rows<'_>, grad_input: RowsMut<'_>, write: Write) {
    for_each(channels, grad_input, [output, grad_output], &Backward { logarithm: false, write });
}

/// output of [`log_forward`], grad_output -> grad_input: `grad - exp(y) * sum(grad)` in each row.
#[inline]
pub fn log_backward(channels: usize, output: Rows<'_>, grad_output: Rows<'_>, grad_input: RowsMut<'_>, write: Write) {
    for_each(channels, grad_input, [output, grad_output], &Backward { logarithm: true, write });
}

/// input `[.., width, channels]` -> output `[.., width, channels]`: the softmax of each channel of each row of `width` cells, or
/// its logarithm.
#[inline]
pub fn forward_over_width(logarithm: bool, [channels, width]: [usize; 2], input: &[f32], output: &mut [f32]) {
    let (input, output) = (Rows::dense(input), RowsMut::dense(output));
    if channels == 1 {
        for_each(width, output, [input], &Forward { logarithm });
    } else {
        let across = Across { channels, logarithm, write: Write::Store };
        for_each(window::product(width, channels), output, [input], &across);
    }
}

/// output of [`forward_over_width`], grad_output -> grad_input
#[inline]
pub fn backward_over_width(
    logarithm: bool,
    [channels, width]: [usize; 2],
    output: &[f32],
    grad_output: &[f32],
    grad_input: &mut [f32],
    write: Write,
) {
    let (read, grad_input) = ([Rows::dense(output), Rows::dense(grad_output)], RowsMut::dense(grad_input));
    if channels == 1 {
        for_each(width, grad_input, read, &Backward { logarithm, write });
    } else {
        for_each(window::product(width, channels), grad_input, read, &Across { channels, logarithm, write });
    }
}

/// Calls `each` with the vectors of a row, their place and how many lanes are the row's; behind the last value lies `rest`.
#[inline(always)]
fn for_each_vector<S: Simd>(simd: S, row: &[f32], rest: f32, mut each: impl FnMut(usize, usize, S::Vector)) {
    let whole = row.len() / S::LANES * S::LANES;
    for start in (0..whole).step_by(S::LANES) {
        // SAFETY: the row has a vector there.
        each(start, S::LANES, unsafe { simd.load(row.as_ptr().add(start)) });
    }
    if whole < row.len() {
        let mut last = [rest; MAX_LANES];
        last[..row.len() - whole].copy_from_slice(&row[whole..]);
        // SAFETY: no set has more lanes.
        each(whole, row.len() - whole, unsafe { simd.load(last.as_ptr()) });
    }
}

struct Forward {
    logarithm: bool,
}

impl Row<1> for Forward {
    const COST: usize = 6;

    #[inline(always)]
    fn run<S: Simd>(&self, simd: S, output: &mut [f32], [input]: [&[f32]; 1]) {
        assert_eq!(output.len(), input.len());
        // Without the maximum `exp` would overflow.
        let mut best = simd.splat(f32::NEG_INFINITY);
        for_each_vector(
            simd,
            input,
            f32::NEG_INFINITY,
            #[inline(always)]
            |_, _, x| best = simd.max(best, x),
        );
        let best = simd.splat(math::largest(simd, best));
        let mut sum = simd.splat(0.0);
        for_each_vector(
            simd,
            input,
            f32::NEG_INFINITY,
            #[inline(always)]
            |start, count, x| {
                let x = simd.sub(x, best);
                let exponential = math::exp(simd, x);
                sum = simd.add(sum, exponential);
                let value = if self.logarithm { x } else { exponential };
                // SAFETY: the output is as long as the input, which has `count` values there.
                unsafe { simd.store_some(output.as_mut_ptr().add(start), count, value) };
            },
        );
        let sum = math::sum(simd, sum);
        let [factor, summand] = if self.logarithm { [1.0, -sum.ln()] } else { [1.0 / sum, 0.0] };
        output.iter_mut().for_each(|value| *value = *value * factor + summand);
    }
}

struct Backward {
    logarithm: bool,
    write: Write,
}

impl Row<2> for Backward {
    const COST: usize = 4;

    #[inline(always)]
    fn run<S: Simd>(&self, simd: S, grad_input: &mut [f32], [output, grad_output]: [&[f32]; 2]) {
        assert!(grad_input.len() == output.len() && grad_output.len() == output.len());
        let mut sum = simd.splat(0.0);
        for_each_vector(
            simd,
            grad_output,
            0.0,
            #[inline(always)]
            |start, count, grad| {
                // SAFETY: the output is as long, and has `count` values there.
                let y = unsafe { simd.load_some(output.as_ptr().add(start), count) };
                sum = if self.logarithm { simd.add(sum, grad) } else { simd.mul_add(grad, y, sum) };
            },
        );
        let sum = simd.splat(math::sum(simd, sum));
        for_each_vector(
            simd,
            grad_output,
            0.0,
            #[inline(always)]
            |start, count, grad| {
                // SAFETY: all are as long, and have `count` values there.
                unsafe {
                    let y = simd.load_some(output.as_ptr().add(start), count);
                    let mut value = slope(simd, self.logarithm, y, grad, sum);
                    let to = grad_input.as_mut_ptr().add(start);
                    if self.write == Write::Add {
                        value = simd.add(value, simd.load_some(to, count));
                    }
                    simd.store_some(to, count, value);
                }
            },
        );
    }
}

/// The gradient of what has become `y`, of a row whose gradients, times their probabilities unless they are logarithms', are `sum`
/// together.
#[inline(always)]
fn slope<S: Simd>(simd: S, logarithm: bool, y: S::Vector, grad: S::Vector, sum: S::Vector) -> S::Vector {
    if logarithm { simd.sub(grad, simd.mul(math::exp(simd, y), sum)) } else { simd.mul(y, simd.sub(grad, sum)) }
}

/// Rows of cells, each with so many channels.
struct Across {
    channels: usize,
    logarithm: bool,
    write: Write,
}

impl Row<1> for Across {
    const COST: usize = 6;

    #[inline(always)]
    fn run<S: Simd>(&self, simd: S, output: &mut [f32], [input]: [&[f32]; 1]) {
        let Self { channels, logarithm, .. } = *self;
        assert!(output.len() == input.len() && input.len().is_multiple_of(channels));
        for (first, count) in vectors::<S>(channels) {
            let cells = || (first..input.len()).step_by(channels);
            // SAFETY: a cell has `count` values from `first` on, in the input and in the output.
            unsafe {
                let (from, to) = (input.as_ptr(), output.as_mut_ptr());
                let mut best = simd.splat(f32::NEG_INFINITY);
                for cell in cells() {
                    best = simd.max(best, simd.load_some(from.add(cell), count));
                }
                let mut sum = simd.splat(0.0);
                for cell in cells() {
                    let x = simd.sub(simd.load_some(from.add(cell), count), best);
                    let exponential = math::exp(simd, x);
                    sum = simd.add(sum, exponential);
                    simd.store_some(to.add(cell), count, if logarithm { x } else { exponential });
                }
                let mut lanes = [0.0; MAX_LANES];
                simd.store(lanes.as_mut_ptr(), sum);
                lanes.iter_mut().for_each(|sum| *sum = if logarithm { -sum.ln() } else { 1.0 / *sum });
                let scale = simd.load(lanes.as_ptr());
                for cell in cells() {
                    let value = simd.load_some(to.add(cell), count);
                    let value = if logarithm { simd.add(value, scale) } else { simd.mul(value, scale) };
                    simd.store_some(to.add(cell), count, value);
                }
            }
        }
    }
}

impl Row<2> for Across {
    const COST: usize = 4;

    #[inline(always)]
    fn run<S: Simd>(&self, simd: S, grad_input: &mut [f32], [output, grad_output]: [&[f32]; 2]) {
        let Self { channels, logarithm, write } = *self;
        assert!(grad_input.len() == output.len() && grad_output.len() == output.len());
        assert!(output.len().is_multiple_of(channels));
        for (first, count) in vectors::<S>(channels) {
            let cells = || (first..output.len()).step_by(channels);
            // SAFETY: a cell has `count` values from `first` on, in all of them.
            unsafe {
                let mut sum = simd.splat(0.0);
                for cell in cells() {
                    let grad = simd.load_some(grad_output.as_ptr().add(cell), count);
                    let y = simd.load_some(output.as_ptr().add(cell), count);
                    sum = if logarithm { simd.add(sum, grad) } else { simd.mul_add(grad, y, sum) };
                }
                for cell in cells() {
                    let grad = simd.load_some(grad_output.as_ptr().add(cell), count);
                    let y = simd.load_some(output.as_ptr().add(cell), count);
                    let mut value = slope(simd, logarithm, y, grad, sum);
                    let to = grad_input.as_mut_ptr().add(cell);
                    if write == Write::Add {
                        value = simd.add(value, simd.load_some(to, count));
                    }
                    simd.store_some(to, count, value);
                }
            }
        }
    }
}
