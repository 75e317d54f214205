//! Dropout of whole samples in training, given what to keep. In evaluation it is the identity.
//!
//! `torchvision.ops.stochastic_depth` with `mode="row"`.
//! <https://docs.pytorch.org/vision/stable/generated/torchvision.ops.stochastic_depth.html>

use super::dropout2d;

/// input `[n, ..]`, keep `[n]` -> output `[n, ..]`: [`dropout2d`] of one channel
pub fn forward(p: f64, input: &[f64], keep: &[bool]) -> Vec<f64> {
    dropout2d::forward(p, 1, input, keep)
}

/// keep `[n]`, grad_output `[n, ..]` -> grad_input: the same map, since it is linear
pub fn backward(p: f64, keep: &[bool], grad_output: &[f64]) -> Vec<f64> {
    forward(p, grad_output, keep)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_stays_or_goes_as_a_whole() {
        let input = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(forward(0.5, &input, &[false, true]), [0.0, 0.0, 0.0, 8.0, 10.0, 12.0]);
        assert_eq!(forward(0.75, &input, &[true, false, true]), [4.0, 8.0, 0.0, 0.0, 20.0, 24.0]);
    }
}
