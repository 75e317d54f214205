//! The rectifier whose slope below zero is learned. <https://pytorch.org/docs/stable/generated/torch.nn.PReLU.html>

use super::{Gradients, samples};

/// input `[.., c]`, weight `[c]`, or `[1]` for all channels -> output `[.., c]`: `x`, below zero times its weight
pub fn forward(channels: usize, input: &[f64], weight: &[f64]) -> Vec<f64> {
    check(channels, input, weight);
    let slope = |i: usize| weight[i % channels % weight.len()];
    input.iter().enumerate().map(|(i, &x)| if x > 0.0 { x } else { slope(i) * x }).collect()
}

/// input `[.., c]`, weight `[c]` or `[1]`, grad_output `[.., c]` -> gradients of the shapes of input and weight; there is no
/// bias
pub fn backward(channels: usize, input: &[f64], weight: &[f64], grad_output: &[f64]) -> Gradients {
    check(channels, input, weight);
    assert_eq!(input.len(), grad_output.len());
    let mut grad_weight = vec![0.0; weight.len()];
    let mut grad_input = grad_output.to_vec();
    for (i, &x) in input.iter().enumerate() {
        // NaN is not above zero either.
        if x.is_nan() || x <= 0.0 {
            let w = i % channels % weight.len();
            grad_input[i] *= weight[w];
            grad_weight[w] += x * grad_output[i];
        }
    }
    Gradients { input: grad_input, weight: grad_weight, bias: Vec::new() }
}

fn check(channels: usize, input: &[f64], weight: &[f64]) {
    samples(input.len(), channels);
    assert!(weight.len() == channels || weight.len() == 1, "{} weights for {channels} channels", weight.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_channel_has_its_slope() {
        let (input, weight) = ([-2.0, -2.0, 3.0, 0.0], [0.5, -1.0]);
        assert_eq!(forward(2, &input, &weight), [-1.0, 2.0, 3.0, 0.0]);
        let gradients = backward(2, &input, &weight, &[1.0, 10.0, 100.0, 1000.0]);
        assert_eq!(gradients.input, [0.5, -10.0, 100.0, -1000.0]);
        assert_eq!(gradients.weight, [-2.0, -20.0]);
    }

    #[test]
    fn or_all_share_one() {
        assert_eq!(forward(2, &[-2.0, -4.0], &[0.25]), [-0.5, -1.0]);
        assert_eq!(backward(2, &[-2.0, -4.0], &[0.25], &[1.0, 1.0]).weight, [-6.0]);
    }
}
