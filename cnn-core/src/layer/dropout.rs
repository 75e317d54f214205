//! `dropout`. <https://pytorch.org/docs/stable/generated/torch.nn.Dropout.html>
//!
//! No mask is kept: the backward pass draws again what the forward pass drew, from the counter-based generator.

use super::{GradInput, Mode, Operation, Pass};
use crate::kernel::{Write, chunk, elementwise};
use crate::random::{Key, Purpose};

/// A dropout of a network. It has no parameters.
pub trait Dropout {
    /// The probability that a value is dropped, from 0 to 1.
    const P: f32;
    /// Values of one sample.
    const LEN: usize;
    /// The layer as data.
    const OPERATION: Operation = Operation::Dropout { p: Self::P };
}

/// input `[n, ..]` -> output `[n, ..]`
pub fn forward<L: Dropout>(pass: &mut Pass<'_>, _parameters: &[f32], input: &[f32], output: &mut [f32]) {
    output.copy_from_slice(input);
    forward_in_place::<L>(pass, output);
}

/// grad_output `[n, ..]` -> grad_input `[n, ..]`
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
        match write {
            Write::Store => values.copy_from_slice(grad_output),
            Write::Add => elementwise::add(grad_output, values),
        }
    }
}

/// [`forward`] where input and output are one: in training, values dropped with probability `P`, the others scaled by
/// `1 / (1 - P)`.
pub fn forward_in_place<L: Dropout>(pass: &mut Pass<'_>, map: &mut [f32]) {
    if pass.mode() == Mode::Evaluation || L::P == 0.0 {
        return;
    }
    let scale = if L::P < 1.0 { 1.0 / (1.0 - L::P) } else { 0.0 };
    let (seed, step, layer) = (pass.seed(), pass.step(), pass.layer());
    chunk::for_each_sample(L::LEN, map, |sample, values| {
        let key = Key { purpose: Purpose::Dropout, seed, step, layer, sample: sample as u64 };
        let (mut stream, mut keep) = (key.stream(), [false; 256]);
        for values in values.chunks_mut(keep.len()) {
            let keep = &mut keep[..values.len()];
            stream.fill_keep_mask(L::P, keep);
            for (value, &keep) in values.iter_mut().zip(&*keep) {
                *value = if keep { *value * scale } else { 0.0 };
            }
        }
    });
}

/// [`backward`] where grad_output and grad_input are one: the same function of the gradient.
pub fn backward_in_place<L: Dropout>(pass: &mut Pass<'_>, _output: &[f32], grad: &mut [f32]) {
    forward_in_place::<L>(pass, grad);
}
