//! The rectifier whose slope below zero is learned, one for all channels or one for each.
//! <https://pytorch.org/docs/stable/generated/torch.nn.PReLU.html>

use super::Write;
use super::column_sums::{self, Term};
use super::isa::Simd;
use super::rows::{Plain, Rows, RowsMut, for_each, for_each_row};
use super::scratch::{Needs, Scratch};

/// What [`backward`] works in.
pub const fn needs(channels: usize) -> Needs {
    Needs { shared: channels + column_sums::partials_len(channels), per_thread: 0 }
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
    let (shared, _) = scratch.lend(needs(channels));
    let (sums, partials) = shared.split_at_mut(channels);
    column_sums::run::<Below>(input, grad_output, sums, partials);
    if grad_weight.len() == channels {
        grad_weight.copy_from_slice(sums);
    } else {
        grad_weight[0] = sums.iter().sum();
    }
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

/// `x * grad` where `x` is below zero.
struct Below;

impl Term for Below {
    #[inline(always)]
    fn add<S: Simd>(simd: S, x: S::Vector, grad: S::Vector, sum: S::Vector) -> S::Vector {
        let zero = simd.splat(0.0);
        simd.mul_add(simd.select(simd.less(zero, x), zero, x), grad, sum)
    }
}
