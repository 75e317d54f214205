//! Softmax over the channels. <https://pytorch.org/docs/stable/generated/torch.nn.Softmax.html>
//!
//! Channels lie innermost, so a map, `channels` at each position, and a flat input, all features, are the same: rows.

/// input `[.., channels]` -> output `[.., channels]`: `exp(x) / sum exp(x)` in each row
pub fn forward(channels: usize, input: &[f64]) -> Vec<f64> {
    let mut output = Vec::with_capacity(input.len());
    for row in input.chunks_exact(channels) {
        // Taking off the maximum changes nothing but keeps `exp` from overflowing.
        let max = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = row.iter().map(|x| (x - max).exp()).sum();
        output.extend(row.iter().map(|x| (x - max).exp() / sum));
    }
    assert_eq!(output.len(), input.len());
    output
}

/// output `[.., channels]` of the forward pass, grad_output -> grad_input: `y * (grad - sum(grad * y))` in each row
pub fn backward(channels: usize, output: &[f64], grad_output: &[f64]) -> Vec<f64> {
    assert_eq!(output.len(), grad_output.len());
    let mut grad_input = Vec::with_capacity(output.len());
    for (row, grad_row) in output.chunks_exact(channels).zip(grad_output.chunks_exact(channels)) {
        let mean: f64 = row.iter().zip(grad_row).map(|(y, grad)| y * grad).sum();
        grad_input.extend(row.iter().zip(grad_row).map(|(y, grad)| y * (grad - mean)));
    }
    assert_eq!(grad_input.len(), output.len());
    grad_input
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_sum_to_one_and_keep_ratios() {
        let output = forward(2, &[0.0, 3.0_f64.ln(), 1000.0, 1000.0]);
        for (found, expected) in output.iter().zip([0.25, 0.75, 0.5, 0.5]) {
            assert!((found - expected).abs() < 1e-15);
        }
    }
}
