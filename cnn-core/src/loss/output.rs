//! Losses of networks with several outputs, one of each.

use super::Loss;
use crate::Error;
use crate::shape::Shape;
use crate::tensor::{Batch, Samples, SamplesMut};

/// The loss of one of several outputs, which lies in each sample from a value on, and its gradient.
///
/// # Errors
///
/// As the loss.
pub fn of_output<W: Shape, S: Shape>(
    loss: &impl Loss<S>,
    outputs: Samples<'_, W>,
    first: usize,
) -> Result<(f32, Batch<S>), Error> {
    let output = outputs.lying::<S>(first).to_batch();
    let mut gradient = Batch::zeros(output.len());
    let loss = loss.evaluate(output.samples(), gradient.samples_mut())?;
    Ok((loss, gradient))
}

/// Writes the gradient of one of several outputs where that lies.
pub fn write_gradient<W: Shape, S: Shape>(gradient: &Batch<S>, grad_outputs: &mut SamplesMut<'_, W>, first: usize) {
    let samples = grad_outputs.values().chunks_exact_mut(W::LEN);
    for (from, to) in gradient.values().chunks_exact(S::LEN).zip(samples) {
        to[first..first + S::LEN].copy_from_slice(from);
    }
}
