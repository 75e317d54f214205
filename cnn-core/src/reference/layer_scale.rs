//! A factor for each channel, which is learned. <https://arxiv.org/abs/2103.17239>

use super::{Gradients, samples};

/// input `[.., c]`, weight `[c]` -> output `[.., c]`
pub fn forward(input: &[f64], weight: &[f64]) -> Vec<f64> {
    samples(input.len(), weight.len());
    input.iter().enumerate().map(|(i, x)| x * weight[i % weight.len()]).collect()
}

/// input `[.., c]`, weight `[c]`, grad_output `[.., c]` -> gradients of the shapes of input and weight; there is no bias
pub fn backward(input: &[f64], weight: &[f64], grad_output: &[f64]) -> Gradients {
    assert_eq!(input.len(), grad_output.len());
    let mut grad_weight = vec![0.0; weight.len()];
    for (i, x) in input.iter().enumerate() {
        grad_weight[i % weight.len()] += x * grad_output[i];
    }
    Gradients { input: forward(grad_output, weight), weight: grad_weight, bias: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_channel_has_its_factor() {
        let (input, weight) = ([1.0, 2.0, 3.0, 4.0], [0.5, -1.0]);
        assert_eq!(forward(&input, &weight), [0.5, -2.0, 1.5, -4.0]);
        let gradients = backward(&input, &weight, &[1.0, 10.0, 100.0, 1000.0]);
        assert_eq!(gradients.input, [0.5, -10.0, 50.0, -1000.0]);
        assert_eq!(gradients.weight, [301.0, 4020.0]);
    }
}
