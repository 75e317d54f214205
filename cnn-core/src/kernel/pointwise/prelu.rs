//! The rectifier whose slope below zero is learned, one for all channels or one for each.
//! <https://pytorch.org/docs/stable/generated/torch.nn.PReLU.html>

use crate::kernel::Write;
use crate::kernel::isa::{Simd, vectors};
use crate::kernel::memory::scratch::{Needs, Scratch};
use crate::kernel::rows::column_sums::{self, Term};
use crate::kernel::rows::{Row, Rows, RowsMut, for_each};

/// What [`backward`] works in.
pub const fn needs(channels: usize) -> Needs {
    Needs { shared: column_sums::partials_len(channels).saturating_add(channels), per_thread: 0 }
}

/// input `[.., c]`, weight `[c]`, or `[1]` for all channels -> output `[.., c]`: `x`, below zero times its weight.
#[inline]
pub fn forward(channels: usize, weight: &[f32], input: Rows<'_>, output: RowsMut<'_>) {
    assert!(weight.len() == channels || weight.len() == 1);
    for_each(channels, output, [input], &Forward { weight });
}

struct Forward<'a> {
    weight: &'a [f32],
}

impl Row<1> for Forward<'_> {
    #[inline(always)]
    fn run<S: Simd>(&self, simd: S, output: &mut [f32], [input]: [&[f32]; 1]) {
        for (start, count) in vectors::<S>(input.len()) {
            // SAFETY: input and output have `count` values there.
            unsafe {
                let x = simd.load_some(input.as_ptr().add(start), count);
                let below = simd.mul(slopes(simd, self.weight, start, count), x);
                let value = simd.select(simd.less(simd.splat(0.0), x), x, below);
                simd.store_some(output.as_mut_ptr().add(start), count, value);
            }
        }
    }
}

/// The weights of the channels `start..start + count`.
///
/// # Safety
/// They are channels of the map, of which each has a weight, or all have one.
#[inline(always)]
unsafe fn slopes<S: Simd>(simd: S, weight: &[f32], start: usize, count: usize) -> S::Vector {
    match *weight {
        [slope] => simd.splat(slope),
        // SAFETY: the caller's promise.
        _ => unsafe { simd.load_some(weight.as_ptr().add(start), count) },
    }
}

/// input `[.., c]`, weight `[c]` or `[1]`, grad_output `[.., c]` -> grad_input `[.., c]`, grad_weight `[c]` or `[1]`.
#[inline]
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
    let rows = [input, grad_output].map(|map| map.map(channels).samples(map.values.len()));
    assert_eq!(rows[0], rows[1], "both maps have the same rows");
    if rows[0] == 0 {
        // One weight may be of any number of channels, which no memory needs to have.
        grad_weight.fill(0.0);
    } else {
        let (shared, _) = scratch.lend(needs(channels));
        let (sums, partials) = shared.split_at_mut(channels);
        column_sums::run::<Below>(input, grad_output, sums, partials);
        if grad_weight.len() == channels {
            grad_weight.copy_from_slice(sums);
        } else {
            grad_weight[0] = sums.iter().sum();
        }
    }
    let Some((grad_input, write)) = grad_input else { return };
    for_each(channels, grad_input, [input, grad_output], &Backward { weight, add: write == Write::Add });
}

struct Backward<'a> {
    weight: &'a [f32],
    add: bool,
}

impl Row<2> for Backward<'_> {
    #[inline(always)]
    fn run<S: Simd>(&self, simd: S, grad_input: &mut [f32], [input, grad_output]: [&[f32]; 2]) {
        for (start, count) in vectors::<S>(input.len()) {
            // SAFETY: all maps have `count` values there.
            unsafe {
                let x = simd.load_some(input.as_ptr().add(start), count);
                let grad = simd.load_some(grad_output.as_ptr().add(start), count);
                let below = simd.mul(slopes(simd, self.weight, start, count), grad);
                let mut value = simd.select(simd.less(simd.splat(0.0), x), grad, below);
                let to = grad_input.as_mut_ptr().add(start);
                if self.add {
                    value = simd.add(value, simd.load_some(to, count));
                }
                simd.store_some(to, count, value);
            }
        }
    }
}

/// `x * grad` where `x` is below zero.
struct Below;

impl Term for Below {
    #[inline(always)]
    fn add<S: Simd>(simd: S, x: S::Vector, grad: S::Vector, sum: S::Vector) -> S::Vector {
        simd.select(simd.less(simd.splat(0.0), x), sum, simd.mul_add(x, grad, sum))
    }
}
