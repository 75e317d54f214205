//! A map that is the same for each sample.

use crate::kernel::memory::chunk::{PIECE, Target, for_each, for_each_part};

/// values `[len]` -> output `[n, len]`
///
/// # Panics
/// If the output is no whole number of samples.
pub fn forward(values: &[f32], output: &mut [f32]) {
    let samples = samples(values.len(), output.len());
    for_each_part(samples, values.len(), values.len(), output, |_, output| {
        output.chunks_exact_mut(values.len()).for_each(|sample| sample.copy_from_slice(values));
    });
}

/// grad_output `[n, len]` -> grad_values `[len]`: the sum over the samples, from the first on.
///
/// # Panics
/// As [`forward`].
pub fn backward(grad_output: &[f32], grad_values: &mut [f32]) {
    let len = grad_values.len();
    let samples = samples(len, grad_output.len());
    let target = Target::new(grad_values);
    for_each(len.div_ceil(PIECE), len * samples, |piece| {
        let first = piece * PIECE;
        // SAFETY: pieces are disjoint and end with the last value.
        let sums = unsafe { target.slice(first, PIECE.min(len - first)) };
        sums.fill(0.0);
        for sample in grad_output.chunks_exact(len) {
            sums.iter_mut().zip(&sample[first..]).for_each(|(sum, value)| *sum += value);
        }
    });
}

fn samples(len: usize, all: usize) -> usize {
    assert!(len > 0 && all.is_multiple_of(len), "{all} values are no whole number of samples of {len}");
    all / len
}
