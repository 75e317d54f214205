//! `dropout`. <https://pytorch.org/docs/stable/generated/torch.nn.Dropout.html>
//!
//! No mask is kept: the backward pass draws again what the forward pass drew, from the counter-based generator.

use super::{GradInput, Mode, Operation, Pass};
use crate::kernel::geometry::{Layout, Map};
use crate::kernel::memory::chunk;
use crate::kernel::pointwise::join;
use crate::kernel::rows::{Rows, RowsMut};
use crate::kernel::{FusedActivation, Write};
use crate::random::{Key, Purpose};

/// A dropout of a network. It has no parameters.
pub trait Dropout {
    /// The probability that a value is dropped, from 0 to 1.
    const P: f32;
    /// Channels of the map, or features.
    const CHANNELS: usize;
    /// Values of one sample.
    const LEN: usize;
    /// Where the maps lie.
    const LAYOUT: Layout;
    /// The layer as data.
    const OPERATION: Operation = Operation::Dropout { p: Self::P };
}

/// input `[n, .., c]` -> output `[n, .., c]`
pub fn forward<L: Dropout>(pass: &mut Pass<'_>, _parameters: &[f32], input: &[f32], output: &mut [f32]) {
    let Layout { in_stride, out_stride } = L::LAYOUT;
    join::copy(L::CHANNELS, Rows::strided(input, in_stride), RowsMut::strided(output, out_stride));
    forward_in_place::<L>(pass, output);
}

/// grad_output `[n, .., c]` -> grad_input `[n, .., c]`
pub fn backward<L: Dropout>(
    pass: &mut Pass<'_>,
    _parameters: &[f32],
    _input: &[f32],
    _output: &[f32],
    grad_output: &mut [f32],
    grad_input: Option<GradInput<'_>>,
    _grad_parameters: &mut [f32],
) {
    if let Some(GradInput { values, write }) = grad_input {
        forward_in_place::<L>(pass, grad_output);
        let Layout { in_stride, out_stride } = L::LAYOUT;
        let (grad_output, values) = (Rows::strided(grad_output, out_stride), RowsMut::strided(values, in_stride));
        match write {
            Write::Store => join::copy(L::CHANNELS, grad_output, values),
            Write::Add => join::accumulate(L::CHANNELS, FusedActivation::None, grad_output, values),
        }
    }
}

/// [`forward`] where input and output are one: in training, values times zero with probability `P`, the others scaled by
/// `1 / (1 - P)`. Infinity and NaN do not vanish, as in PyTorch.
pub fn forward_in_place<L: Dropout>(pass: &mut Pass<'_>, map: &mut [f32]) {
    if pass.mode() == Mode::Evaluation || L::P == 0.0 {
        return;
    }
    let scale = if L::P < 1.0 { 1.0 / (1.0 - L::P) } else { 0.0 };
    let (seed, step, layer, first) = (pass.seed(), pass.step(), pass.layer(), pass.first_sample());
    let stride = Map::new([1, 1], L::CHANNELS, L::LAYOUT.out_stride).stride;
    chunk::for_each_sample(L::LEN / L::CHANNELS * stride, map, |sample, values| {
        let key = Key { purpose: Purpose::Dropout, seed, step, layer, sample: (first + sample) as u64 };
        let (mut stream, mut keep) = (key.stream(), [false; 256]);
        for from in (0..L::LEN).step_by(keep.len()) {
            let count = keep.len().min(L::LEN - from);
            let keep = &mut keep[..count];
            stream.fill_keep_mask(L::P, keep);
            if stride == L::CHANNELS {
                for (value, &keep) in values[from..from + count].iter_mut().zip(&*keep) {
                    *value *= if keep { scale } else { 0.0 };
                }
            } else {
                for (index, &keep) in (from..).zip(&*keep) {
                    let value = &mut values[index / L::CHANNELS * stride + index % L::CHANNELS];
                    *value *= if keep { scale } else { 0.0 };
                }
            }
        }
    });
}

/// [`backward`] where grad_output and grad_input are one: the same function of the gradient.
pub fn backward_in_place<L: Dropout>(pass: &mut Pass<'_>, _output: &[f32], grad: &mut [f32]) {
    forward_in_place::<L>(pass, grad);
}
