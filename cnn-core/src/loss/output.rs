//! Losses of networks with several outputs, one of each.

use super::{Loss, LossMemory, take_share};
use crate::Error;
use crate::kernel::memory::buffer::Buffer;
use crate::shape::Shape;
use crate::tensor::{Samples, SamplesMut};

/// What the loss of one of the outputs works in.
#[derive(Debug, Default)]
pub(super) struct OfOutput {
    output: Buffer,
    gradient: Buffer,
    memory: LossMemory,
}

/// The loss of one of several outputs, the `index`th, which lies in each sample from a value on. Its gradient stays in the
/// memory.
///
/// # Errors
///
/// As the loss.
pub fn of_output<W: Shape, S: Shape>(
    loss: &impl Loss<S>,
    outputs: Samples<'_, W>,
    first: usize,
    memory: &mut LossMemory,
    index: usize,
) -> Result<f32, Error> {
    let share = memory.shares.get(index).copied();
    if memory.outputs.len() <= index {
        memory.outputs.resize_with(index + 1, OfOutput::default);
    }
    let OfOutput { output, gradient, memory } = &mut memory.outputs[index];
    let len = outputs.len() * S::LEN;
    output.grow(len);
    gradient.grow(len);
    let (output, gradient) = (&mut output[..len], &mut gradient[..len]);
    for (from, to) in outputs.values().chunks_exact(W::LEN).zip(output.chunks_exact_mut(S::LEN)) {
        to.copy_from_slice(&from[first..first + S::LEN]);
    }
    let loss = loss.evaluate_in(Samples::new(output), SamplesMut::new(gradient), memory)?;
    Ok(share.map_or(loss, |share| take_share(loss, gradient, share)))
}

/// Writes the gradient of one of several outputs where that lies.
pub fn write_gradient<W: Shape, S: Shape>(
    memory: &LossMemory,
    index: usize,
    grad_outputs: &mut SamplesMut<'_, W>,
    first: usize,
) {
    let samples = grad_outputs.values().chunks_exact_mut(W::LEN);
    for (from, to) in memory.outputs[index].gradient.chunks_exact(S::LEN).zip(samples) {
        to[first..first + S::LEN].copy_from_slice(from);
    }
}
