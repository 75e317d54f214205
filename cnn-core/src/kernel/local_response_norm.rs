//! Local response normalization. <https://pytorch.org/docs/stable/generated/torch.nn.LocalResponseNorm.html>

use super::Write;
use super::geometry::LocalResponseNormGeometry;
use core::ops::Range;
use rayon::prelude::*;

/// Rows of a piece of work.
const PIECE: usize = 64;

/// input `[.., c]` -> output `[.., c]`: `x / (k + alpha / size * sum of x^2)^beta`, the sum over the channels around
pub fn forward(geometry: &LocalResponseNormGeometry, input: &[f32], output: &mut [f32]) {
    let (from, to) = (geometry.input(), geometry.output());
    assert_eq!(from.samples(input.len()), to.samples(output.len()), "both maps have the same rows");
    let beta = geometry.beta as f32;
    let pieces = output.par_chunks_mut(PIECE * to.stride).zip(input.par_chunks(PIECE * from.stride));
    pieces.for_each(|(output, input)| {
        for (output, input) in output.chunks_mut(to.stride).zip(input.chunks(from.stride)) {
            for c in 0..geometry.channels {
                output[c] = input[c] / base(geometry, input, c).powf(beta);
            }
        }
    });
}

/// input `[.., c]`, grad_output `[.., c]` -> grad_input `[.., c]`; grad_output becomes the gradient of what is raised to
/// `beta`
pub fn backward(
    geometry: &LocalResponseNormGeometry,
    input: &[f32],
    grad_output: &mut [f32],
    grad_input: &mut [f32],
    write: Write,
) {
    let (from, to) = (geometry.input(), geometry.output());
    let rows = from.samples(input.len());
    assert_eq!(
        [to.samples(grad_output.len()), from.samples(grad_input.len())],
        [rows; 2],
        "all maps have the same rows"
    );
    let LocalResponseNormGeometry { channels, size, alpha, beta, .. } = *geometry;
    let (beta, factor) = (beta as f32, (2.0 * alpha / size as f64) as f32);
    let pieces = grad_input.par_chunks_mut(PIECE * from.stride).zip(grad_output.par_chunks_mut(PIECE * to.stride));
    pieces.zip(input.par_chunks(PIECE * from.stride)).for_each(|((grad_input, grad_output), input)| {
        let rows = grad_input.chunks_mut(from.stride).zip(grad_output.chunks_mut(to.stride));
        for ((grad_input, grad_output), input) in rows.zip(input.chunks(from.stride)) {
            for c in 0..channels {
                let base = base(geometry, input, c);
                let own = grad_output[c] * base.powf(-beta);
                let before = if write == Write::Add { grad_input[c] } else { 0.0 };
                grad_input[c] = before + own;
                grad_output[c] = -beta * own * input[c] / base;
            }
            for c in 0..channels {
                // Whose sums see it: the mirror image of those around.
                let seers = c.saturating_sub((size - 1) / 2)..(c + size / 2 + 1).min(channels);
                grad_input[c] += factor * input[c] * grad_output[seers].iter().sum::<f32>();
            }
        }
    });
}

/// What is raised to `beta`.
fn base(geometry: &LocalResponseNormGeometry, row: &[f32], c: usize) -> f32 {
    let squares: f32 = row[around(geometry, c)].iter().map(|x| x * x).sum();
    geometry.k as f32 + (geometry.alpha / geometry.size as f64) as f32 * squares
}

/// The channels whose squares count for `c`. Of an even `size` PyTorch has one more before it than behind it.
fn around(geometry: &LocalResponseNormGeometry, c: usize) -> Range<usize> {
    let LocalResponseNormGeometry { channels, size, .. } = *geometry;
    c.saturating_sub(size / 2)..(c + (size - 1) / 2 + 1).min(channels)
}
