//! The linear layer. <https://pytorch.org/docs/stable/generated/torch.nn.Linear.html>

use super::{Gradients, samples};
use crate::kernel::geometry::LinearGeometry;

/// input `[n, in]`, weight `[in, out]`, bias `[out]` -> output `[n, out]`
pub fn forward(geometry: &LinearGeometry, input: &[f64], weight: &[f64], bias: Option<&[f64]>) -> Vec<f64> {
    let LinearGeometry { in_features, out_features, .. } = *geometry;
    assert_eq!(weight.len(), geometry.weight_len());
    let n = samples(input.len(), in_features);
    let mut output = vec![0.0; n * out_features];
    for n in 0..n {
        for o in 0..out_features {
            output[n * out_features + o] = bias.map_or(0.0, |bias| bias[o]);
            for i in 0..in_features {
                output[n * out_features + o] += input[n * in_features + i] * weight[i * out_features + o];
            }
        }
    }
    output
}

/// input `[n, in]`, weight `[in, out]`, grad_output `[n, out]` -> gradients of the shapes of input, weight and bias
pub fn backward(geometry: &LinearGeometry, input: &[f64], weight: &[f64], grad_output: &[f64]) -> Gradients {
    let LinearGeometry { in_features, out_features, .. } = *geometry;
    assert_eq!(weight.len(), geometry.weight_len());
    let n = samples(input.len(), in_features);
    assert_eq!(grad_output.len(), n * out_features);
    let mut grad_input = vec![0.0; input.len()];
    let mut grad_weight = vec![0.0; weight.len()];
    let mut grad_bias = vec![0.0; out_features];
    for n in 0..n {
        for o in 0..out_features {
            let grad = grad_output[n * out_features + o];
            grad_bias[o] += grad;
            for i in 0..in_features {
                grad_input[n * in_features + i] += weight[i * out_features + o] * grad;
                grad_weight[i * out_features + o] += input[n * in_features + i] * grad;
            }
        }
    }
    Gradients { input: grad_input, weight: grad_weight, bias: grad_bias }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::geometry::Layout;

    #[test]
    fn two_samples_by_hand() {
        let geometry = LinearGeometry { in_features: 2, out_features: 3, layout: Layout::DENSE };
        let (input, weight) = ([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 10.0, 20.0, 30.0]);
        let output = forward(&geometry, &input, &weight, Some(&[0.5, 0.0, -0.5]));
        assert_eq!(output, [21.5, 42.0, 62.5, 43.5, 86.0, 128.5]);
        let gradients = backward(&geometry, &input, &weight, &[1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(gradients.input, [1.0, 10.0, 3.0, 30.0]);
        assert_eq!(gradients.weight, [1.0, 0.0, 3.0, 2.0, 0.0, 4.0]);
        assert_eq!(gradients.bias, [1.0, 0.0, 1.0]);
    }
}
