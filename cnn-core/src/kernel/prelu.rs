//! The rectifier whose slope below zero is learned, one for all channels or one for each.
//! <https://pytorch.org/docs/stable/generated/torch.nn.PReLU.html>

use super::Write;
use super::chunk::{self, Target};
use super::isa::{self, Kernel, Simd};
use super::rows::{Plain, Rows, RowsMut, for_each, for_each_row};
use super::scratch::{Needs, Scratch};
use super::strip::{self, Strip};

/// Chunks of rows at most: their sums are kept.
const CHUNKS: usize = 16;
/// Values of a chunk at least.
const CHUNK: usize = 1 << 15;
/// Rows that are summed at a time: their terms are few enough for one f32.
const BLOCK: usize = 64;

/// What [`backward`] works in.
pub const fn needs(channels: usize) -> Needs {
    Needs { shared: CHUNKS * channels, per_thread: 0 }
}

/// input `[.., c]`, weight `[c]`, or `[1]` for all channels -> output `[.., c]`: `x`, below zero times its weight.
pub fn forward(channels: usize, weight: &[f32], input: Rows<'_>, output: RowsMut<'_>) {
    if let [slope] = *weight {
        let body = Plain(
            #[inline(always)]
            |[output]: [&mut [f32]; 1], [input]: [&[f32]; 1]| {
                for (output, x) in output.iter_mut().zip(input) {
                    *output = if *x > 0.0 { *x } else { slope * x };
                }
            },
        );
        return for_each(channels, [output], [input], body);
    }
    assert_eq!(weight.len(), channels);
    let body = Plain(
        #[inline(always)]
        |[output]: [&mut [f32]; 1], [input]: [&[f32]; 1]| {
            for ((output, x), slope) in output.iter_mut().zip(input).zip(weight) {
                *output = if *x > 0.0 { *x } else { slope * x };
            }
        },
    );
    for_each_row(channels, [output], [input], body);
}

/// input `[.., c]`, weight `[c]` or `[1]`, grad_output `[.., c]` -> grad_input `[.., c]`, grad_weight `[c]` or `[1]`.
pub fn backward(
    channels: usize,
    weight: &[f32],
    input: Rows<'_>,
    grad_output: Rows<'_>,
    grad_input: Option<(RowsMut<'_>, Write)>,
    grad_weight: &mut [f32],
    scratch: &mut Scratch,
) {
    assert!(weight.len() == channels || weight.len() == 1);
    assert_eq!(grad_weight.len(), weight.len());
    weight_gradient(channels, input, grad_output, grad_weight, scratch);
    let Some((grad_input, write)) = grad_input else { return };
    let body = Plain(
        #[inline(always)]
        |[grad_input]: [&mut [f32]; 1], [input, grad_output]: [&[f32]; 2]| {
            for (c, to) in grad_input.iter_mut().enumerate() {
                let slope = if weight.len() == 1 { weight[0] } else { weight[c] };
                let before = if write == Write::Add { *to } else { 0.0 };
                *to = before + if input[c] > 0.0 { 1.0 } else { slope } * grad_output[c];
            }
        },
    );
    for_each_row(channels, [grad_input], [input, grad_output], body);
}

/// The sum of `x * grad` over the rows where `x` is below zero: for each channel by chunks, and over the channels if they
/// share a weight.
fn weight_gradient(
    channels: usize,
    input: Rows<'_>,
    grad_output: Rows<'_>,
    grad_weight: &mut [f32],
    scratch: &mut Scratch,
) {
    let [a, b] = [input.map(channels), grad_output.map(channels)];
    let rows = a.samples(input.values.len());
    assert_eq!(b.samples(grad_output.values.len()), rows);
    let chunks = (rows * channels / CHUNK).clamp(1, CHUNKS);
    let (shared, _) = scratch.lend(needs(channels));
    let partials = &mut shared[..chunks * channels];
    let target = Target::new(partials);
    let isa = isa::current();
    chunk::for_each(chunks, 2 * rows * channels, |chunk| {
        // SAFETY: each chunk has sums of its own.
        let sums = unsafe { target.slice(chunk * channels, channels) };
        let rows = chunk * rows / chunks..(chunk + 1) * rows / chunks;
        isa.run(Sum { input: (input.values, a.stride), grad: (grad_output.values, b.stride), rows, sums });
    });
    let total = |channel: usize| -> f32 { (0..chunks).map(|chunk| partials[chunk * channels + channel]).sum() };
    if grad_weight.len() == channels {
        grad_weight.iter_mut().enumerate().for_each(|(channel, to)| *to = total(channel));
    } else {
        grad_weight[0] = (0..channels).map(total).sum();
    }
}

struct Sum<'a> {
    input: (&'a [f32], usize),
    grad: (&'a [f32], usize),
    rows: core::ops::Range<usize>,
    sums: &'a mut [f32],
}

impl Kernel for Sum<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let channels = self.sums.len();
        // SAFETY: the shell has found these rows in both maps, and there is a sum for each channel.
        unsafe { strip::for_each(simd, channels, &mut self) };
    }
}

impl strip::Body for Sum<'_> {
    /// # Safety
    /// The rows lie in both maps, and there is a sum for each channel.
    #[inline(always)]
    unsafe fn run<S: Simd, const NV: usize>(&mut self, simd: S, strip: Strip<S, NV>, channel: usize) {
        let ((input, in_stride), (grad, grad_stride)) = (self.input, self.grad);
        let zero = simd.splat(0.0);
        let mut total = strip.splat(0.0);
        for first in self.rows.clone().step_by(BLOCK) {
            let mut sum = strip.splat(0.0);
            for row in first..self.rows.end.min(first + BLOCK) {
                // SAFETY: the caller's promise.
                let (x, grad) = unsafe {
                    (
                        strip.load(input.as_ptr().add(row * in_stride + channel)),
                        strip.load(grad.as_ptr().add(row * grad_stride + channel)),
                    )
                };
                for v in 0..NV {
                    let below = simd.select(simd.less(zero, x[v]), zero, x[v]);
                    sum[v] = simd.mul_add(below, grad[v], sum[v]);
                }
            }
            for v in 0..NV {
                total[v] = simd.add(total[v], sum[v]);
            }
        }
        // SAFETY: the caller's promise.
        unsafe { strip.store(self.sums.as_mut_ptr().add(channel), total) };
    }
}
