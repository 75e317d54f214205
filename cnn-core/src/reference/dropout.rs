//! Dropout in training, given what to keep. In evaluation it is the identity.
//!
//! <https://pytorch.org/docs/stable/generated/torch.nn.Dropout.html>

/// input, keep -> output, of any shape: what is kept grows by `1 / (1 - p)`, so that the expectation stays,
/// and the rest is multiplied by zero, as in PyTorch: infinity and NaN do not vanish
pub fn forward(p: f64, input: &[f64], keep: &[bool]) -> Vec<f64> {
    assert_eq!(input.len(), keep.len());
    input.iter().zip(keep).map(|(&x, &keep)| if keep { x / (1.0 - p) } else { x * 0.0 }).collect()
}

/// keep, grad_output -> grad_input: the same map, since dropout is linear
pub fn backward(p: f64, keep: &[bool], grad_output: &[f64]) -> Vec<f64> {
    forward(p, grad_output, keep)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_grows() {
        assert_eq!(forward(0.75, &[1.0, 2.0, 3.0], &[true, false, true]), [4.0, 0.0, 12.0]);
        assert_eq!(forward(1.0, &[1.0, 2.0], &[false, false]), [0.0, 0.0]);
        assert!(forward(0.5, &[f64::INFINITY], &[false])[0].is_nan());
    }
}
