//! The rectifier whose slope below zero is learned. <https://pytorch.org/docs/stable/generated/torch.nn.PReLU.html>

use super::Write;
use super::rows::{Rows, RowsMut};
use rayon::prelude::*;

/// Values of a piece of work.
const PIECE: usize = 1 << 14;

/// Channels that are summed at a time.
const LANES: usize = 16;

/// input `[.., c]`, weight `[c]`, or `[1]` for all channels -> output `[.., c]`: `x`, below zero times its weight
pub fn forward(channels: usize, weight: &[f32], input: Rows<'_>, output: RowsMut<'_>) {
    check(channels, weight);
    for_each_row(channels, input, input, output, |output, input, _| {
        for (c, (output, x)) in output.iter_mut().zip(input).enumerate() {
            *output = if *x > 0.0 { *x } else { slope(weight, c) * x };
        }
    });
}

/// input `[.., c]`, weight `[c]` or `[1]`, grad_output `[.., c]` -> grad_input `[.., c]`
pub fn backward_input(
    channels: usize,
    weight: &[f32],
    input: Rows<'_>,
    grad_output: Rows<'_>,
    grad_input: RowsMut<'_>,
    write: Write,
) {
    check(channels, weight);
    for_each_row(channels, input, grad_output, grad_input, |grad_input, input, grad_output| {
        for (c, (to, (x, grad))) in grad_input.iter_mut().zip(input.iter().zip(grad_output)).enumerate() {
            let grad = if *x > 0.0 { *grad } else { slope(weight, c) * grad };
            *to = if write == Write::Add { *to + grad } else { grad };
        }
    });
}

/// input `[.., c]`, grad_output `[.., c]` -> grad_weight `[c]` or `[1]`
pub fn backward_weight(channels: usize, input: Rows<'_>, grad_output: Rows<'_>, grad_weight: &mut [f32]) {
    check(channels, grad_weight);
    let (map, grad_map) = (input.map(channels), grad_output.map(channels));
    let rows = || input.values.chunks(map.stride).zip(grad_output.values.chunks(grad_map.stride));
    let mut shared = 0.0;
    for first in (0..channels).step_by(LANES) {
        let range = first..channels.min(first + LANES);
        let mut sums = [0.0_f64; LANES];
        for (input, grad) in rows() {
            let values = input[range.clone()].iter().zip(&grad[range.clone()]);
            for (sum, (x, grad)) in sums.iter_mut().zip(values) {
                *sum += if *x > 0.0 { 0.0 } else { f64::from(x * grad) };
            }
        }
        if grad_weight.len() == channels {
            grad_weight[range].iter_mut().zip(sums).for_each(|(grad, sum)| *grad = sum as f32);
        } else {
            shared += sums.iter().sum::<f64>();
        }
    }
    if grad_weight.len() != channels {
        grad_weight[0] = shared as f32;
    }
}

fn slope(weight: &[f32], channel: usize) -> f32 {
    if weight.len() == 1 { weight[0] } else { weight[channel] }
}

fn check(channels: usize, weight: &[f32]) {
    assert!(weight.len() == channels || weight.len() == 1, "{} weights for {channels} channels", weight.len());
}

fn for_each_row(
    channels: usize,
    a: Rows<'_>,
    b: Rows<'_>,
    output: RowsMut<'_>,
    body: impl Fn(&mut [f32], &[f32], &[f32]) + Sync,
) {
    let (a_map, b_map, map) = (a.map(channels), b.map(channels), output.map(channels));
    let rows = map.samples(output.values.len());
    assert!(
        a_map.samples(a.values.len()) == rows && b_map.samples(b.values.len()) == rows,
        "all maps have the same rows"
    );
    let piece = PIECE.div_ceil(channels);
    let pieces = output.values.par_chunks_mut(piece * map.stride);
    let read = a.values.par_chunks(piece * a_map.stride).zip(b.values.par_chunks(piece * b_map.stride));
    pieces.zip(read).for_each(|(output, (a, b))| {
        let read = a.chunks(a_map.stride).zip(b.chunks(b_map.stride));
        for (output, (a, b)) in output.chunks_mut(map.stride).zip(read) {
            body(&mut output[..channels], &a[..channels], &b[..channels]);
        }
    });
}
