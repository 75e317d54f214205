//! The logarithm of the softmax over the channels. <https://pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html>

use super::samples;

/// input `[.., channels]` -> output `[.., channels]`: `x - ln(sum exp(x))` in each row
pub fn forward(channels: usize, input: &[f64]) -> Vec<f64> {
    samples(input.len(), channels);
    let rows = input.chunks_exact(channels);
    rows.flat_map(|row| {
        let log_sum_exp = log_sum_exp(row);
        row.iter().map(move |x| x - log_sum_exp)
    })
    .collect()
}

/// output `[.., channels]` of the forward pass, grad_output -> grad_input: `grad - exp(y) * sum(grad)` in each row
pub fn backward(channels: usize, output: &[f64], grad_output: &[f64]) -> Vec<f64> {
    samples(output.len(), channels);
    assert_eq!(output.len(), grad_output.len());
    let rows = output.chunks_exact(channels).zip(grad_output.chunks_exact(channels));
    rows.flat_map(|(row, grad_row)| {
        let sum: f64 = grad_row.iter().sum();
        row.iter().zip(grad_row).map(move |(y, grad)| grad - y.exp() * sum)
    })
    .collect()
}

/// `ln(sum exp(x))`; taking off the maximum keeps `exp` from overflowing.
pub(super) fn log_sum_exp(row: &[f64]) -> f64 {
    let max = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    max + row.iter().map(|x| (x - max).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn huge_values_and_small_probabilities_keep_their_digits() {
        assert_eq!(forward(2, &[1000.0, 0.0, 0.0, 0.0]), [0.0, -1000.0, -2.0_f64.ln(), -2.0_f64.ln()]);
    }

    #[test]
    fn what_one_value_gains_the_row_loses() {
        for (found, expected) in backward(2, &forward(2, &[5.0, 5.0]), &[1.0, 0.0]).iter().zip([0.5, -0.5]) {
            assert!((found - expected).abs() < 1e-15);
        }
    }
}
