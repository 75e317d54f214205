//! The rectifier. <https://pytorch.org/docs/stable/generated/torch.nn.ReLU.html>

/// input -> output, of any shape: negative values become zero, NaN stays
pub fn forward(input: &[f64]) -> Vec<f64> {
    input.iter().map(|&x| if x <= 0.0 { 0.0 } else { x }).collect()
}

/// input, grad_output -> grad_input; none at zero, as PyTorch
///
/// The output does in the place of the input, since it is positive where the input is.
pub fn backward(input: &[f64], grad_output: &[f64]) -> Vec<f64> {
    assert_eq!(input.len(), grad_output.len());
    input.iter().zip(grad_output).map(|(&x, &grad)| if x <= 0.0 { 0.0 } else { grad }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_positive_values_pass() {
        let input = [-2.0, -0.0, 0.0, 3.0];
        assert_eq!(forward(&input), [0.0, 0.0, 0.0, 3.0]);
        assert_eq!(backward(&input, &[1.0; 4]), [0.0, 0.0, 0.0, 1.0]);
        assert!(forward(&[f64::NAN])[0].is_nan());
    }
}
