//! `dropout2d`, <https://pytorch.org/docs/stable/generated/torch.nn.Dropout2d.html>, and `drop_path`,
//! <https://docs.pytorch.org/vision/stable/generated/torchvision.ops.stochastic_depth.html> with `mode="row"`.
//!
//! No mask is kept: the backward pass draws again what the forward pass drew, from the counter-based generator.

use super::{GradInput, Mode, Operation, Pass};
use crate::kernel::geometry::{Layout, Map};
use crate::kernel::memory::chunk;
use crate::kernel::pointwise::join;
use crate::kernel::rows::{Rows, RowsMut};
use crate::kernel::{FusedActivation, Write};
use crate::random::{Key, Purpose};

/// A dropout of whole channels, or of whole samples. It has no parameters.
pub trait Dropout2d {
    /// The probability that a channel of a sample is dropped, or all of it, from 0 to 1.
    const P: f32;
    /// Channels of the map, or features.
    const CHANNELS: usize;
    /// Values of one sample.
    const LEN: usize;
    /// Where the maps lie.
    const LAYOUT: Layout;
    /// Whether the channels of a sample are dropped together.
    const WHOLE: bool = false;
    /// The layer as data.
    const OPERATION: Operation =
        if Self::WHOLE { Operation::DropPath { p: Self::P } } else { Operation::Dropout2d { p: Self::P } };
}

/// input `[n, .., c]` -> output `[n, .., c]`
pub fn forward<L: Dropout2d>(pass: &mut Pass<'_>, _parameters: &[f32], input: &[f32], output: &mut [f32]) {
    let Layout { in_stride, out_stride } = L::LAYOUT;
    join::copy(L::CHANNELS, Rows::strided(input, in_stride), RowsMut::strided(output, out_stride));
    forward_in_place::<L>(pass, output);
}

/// grad_output `[n, .., c]` -> grad_input `[n, .., c]`
pub fn backward<L: Dropout2d>(
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

/// [`forward`] where input and output are one: in training, channels (or samples) times zero with probability `P`, the
/// others scaled by `1 / (1 - P)`. Infinity and NaN do not vanish, as in PyTorch.
pub fn forward_in_place<L: Dropout2d>(pass: &mut Pass<'_>, map: &mut [f32]) {
    if pass.mode() == Mode::Evaluation || L::P == 0.0 {
        return;
    }
    let scale = if L::P < 1.0 { 1.0 / (1.0 - L::P) } else { 0.0 };
    let (seed, step, layer, first) = (pass.seed(), pass.step(), pass.layer(), pass.first_sample());
    let stride = Map::new([1, 1], L::CHANNELS, L::LAYOUT.out_stride).stride;
    chunk::for_each_sample(L::LEN / L::CHANNELS * stride, map, |sample, values| {
        let key = Key { purpose: Purpose::Dropout, seed, step, layer, sample: (first + sample) as u64 };
        let (mut stream, mut keep) = (key.stream(), [false; 256]);
        if L::WHOLE {
            let [keep, ..] = &mut keep;
            stream.fill_keep_mask(L::P, std::slice::from_mut(keep));
            let factor = if *keep { scale } else { 0.0 };
            values
                .chunks_mut(stride)
                .for_each(|cell| cell[..L::CHANNELS].iter_mut().for_each(|value| *value *= factor));
            return;
        }
        for first in (0..L::CHANNELS).step_by(keep.len()) {
            let count = keep.len().min(L::CHANNELS - first);
            let keep = &mut keep[..count];
            stream.fill_keep_mask(L::P, keep);
            for cell in values.chunks_mut(stride) {
                for (value, &keep) in cell[first..first + count].iter_mut().zip(&*keep) {
                    *value *= if keep { scale } else { 0.0 };
                }
            }
        }
    });
}

/// [`backward`] where grad_output and grad_input are one: the same function of the gradient.
pub fn backward_in_place<L: Dropout2d>(pass: &mut Pass<'_>, _output: &[f32], grad: &mut [f32]) {
    forward_in_place::<L>(pass, grad);
}
