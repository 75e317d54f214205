//! Local response normalization. <https://pytorch.org/docs/stable/generated/torch.nn.LocalResponseNorm.html>

use core::ops::Range;

use super::samples;
use crate::kernel::geometry::LocalResponseNormGeometry;

/// input `[.., c]` -> output `[.., c]`: `x / (k + alpha / size * sum of x^2)^beta`, the sum over the channels around
pub fn forward(geometry: &LocalResponseNormGeometry, input: &[f64]) -> Vec<f64> {
    let LocalResponseNormGeometry { channels, beta, .. } = *geometry;
    samples(input.len(), channels);
    let rows = input.chunks_exact(channels);
    rows.flat_map(|row| (0..channels).map(|c| row[c] / base(geometry, row, c).powf(beta))).collect()
}

/// input `[.., c]`, grad_output `[.., c]` -> grad_input `[.., c]`
///
/// A value stands in its own quotient, and in the sum of each channel that sees it.
pub fn backward(geometry: &LocalResponseNormGeometry, input: &[f64], grad_output: &[f64]) -> Vec<f64> {
    let LocalResponseNormGeometry { channels, size, alpha, beta, .. } = *geometry;
    samples(input.len(), channels);
    assert_eq!(input.len(), grad_output.len());
    let mut grad_input = vec![0.0; input.len()];
    for ((row, grad_row), grad_input) in
        input.chunks_exact(channels).zip(grad_output.chunks_exact(channels)).zip(grad_input.chunks_exact_mut(channels))
    {
        for c in 0..channels {
            let base = base(geometry, row, c);
            grad_input[c] += grad_row[c] / base.powf(beta);
            let grad_base = -beta * grad_row[c] * row[c] / base.powf(beta + 1.0);
            for around in around(geometry, c) {
                grad_input[around] += grad_base * alpha / size as f64 * 2.0 * row[around];
            }
        }
    }
    grad_input
}

/// What is raised to `beta`.
fn base(geometry: &LocalResponseNormGeometry, row: &[f64], c: usize) -> f64 {
    let squares: f64 = row[around(geometry, c)].iter().map(|x| x * x).sum();
    geometry.k + geometry.alpha / geometry.size as f64 * squares
}

/// The channels whose squares count for `c`. Of an even `size` PyTorch has one more before it than behind it.
fn around(geometry: &LocalResponseNormGeometry, c: usize) -> Range<usize> {
    let LocalResponseNormGeometry { channels, size, .. } = *geometry;
    c.saturating_sub(size / 2)..(c + (size - 1) / 2 + 1).min(channels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::geometry::Layout;

    #[test]
    fn neighbours_count_and_the_rest_does_not() {
        let geometry =
            LocalResponseNormGeometry { channels: 4, size: 3, alpha: 3.0, beta: 1.0, k: 1.0, layout: Layout::DENSE };
        assert_eq!(forward(&geometry, &[1.0, 2.0, 0.0, 3.0]), [1.0 / 6.0, 2.0 / 6.0, 0.0, 0.3]);
    }

    #[test]
    fn of_an_even_size_the_channel_before_counts() {
        let geometry =
            LocalResponseNormGeometry { channels: 3, size: 2, alpha: 2.0, beta: 1.0, k: 1.0, layout: Layout::DENSE };
        assert_eq!(forward(&geometry, &[1.0, 2.0, 3.0]), [1.0 / 2.0, 2.0 / 6.0, 3.0 / 14.0]);
    }
}
