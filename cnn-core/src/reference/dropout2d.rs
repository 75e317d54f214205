//! Dropout of whole channels in training, given what to keep. In evaluation it is the identity.
//!
//! <https://pytorch.org/docs/stable/generated/torch.nn.Dropout2d.html>

use super::{dropout, samples};

/// input `[n, h, w, c]`, keep `[n, c]` -> output `[n, h, w, c]`: [`dropout`] with one choice for all positions of a channel
pub fn forward(p: f64, channels: usize, input: &[f64], keep: &[bool]) -> Vec<f64> {
    let values = samples(input.len(), samples(keep.len(), channels));
    let keep: Vec<bool> = (0..input.len()).map(|i| keep[i / values * channels + i % channels]).collect();
    dropout::forward(p, input, &keep)
}

/// keep `[n, c]`, grad_output `[n, h, w, c]` -> grad_input: the same map, since dropout is linear
pub fn backward(p: f64, channels: usize, keep: &[bool], grad_output: &[f64]) -> Vec<f64> {
    forward(p, channels, grad_output, keep)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_stays_or_goes_as_a_whole() {
        let input = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
        let keep = [true, false, false, true];
        assert_eq!(forward(0.5, 2, &input, &keep), [2.0, 0.0, 6.0, 0.0, 0.0, 12.0, 0.0, 16.0]);
    }
}
