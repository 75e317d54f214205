//! Normalization of each sample by itself: group, layer and instance normalization, and that by the root of the mean square.
//! <https://pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html>

use super::{Gradients, samples};
use crate::kernel::geometry::GroupNormGeometry;

/// input `[n, h, w, c]`, weight and bias `[c]` or `[h, w, c]` -> output `[n, h, w, c]`
pub fn forward(geometry: &GroupNormGeometry, input: &[f64], weight: Option<&[f64]>, bias: Option<&[f64]>) -> Vec<f64> {
    let normalized = normalized(geometry, input);
    let value = |i: usize| {
        let place = i % geometry.weights();
        weight.map_or(1.0, |weight| weight[place]) * normalized[i].0 + bias.map_or(0.0, |bias| bias[place])
    };
    (0..input.len()).map(value).collect()
}

/// input `[n, h, w, c]`, weight `[c]` or `[h, w, c]`, grad_output `[n, h, w, c]` -> gradients of the shapes of input, weight and
/// bias
pub fn backward(geometry: &GroupNormGeometry, input: &[f64], weight: Option<&[f64]>, grad_output: &[f64]) -> Gradients {
    assert_eq!(input.len(), grad_output.len());
    let normalized = normalized(geometry, input);
    let (mut grad_weight, mut grad_bias) = (vec![0.0; geometry.weights()], vec![0.0; geometry.weights()]);
    let mut grad_normalized = grad_output.to_vec();
    for (i, grad) in grad_normalized.iter_mut().enumerate() {
        let place = i % geometry.weights();
        grad_weight[place] += *grad * normalized[i].0;
        grad_bias[place] += *grad;
        *grad *= weight.map_or(1.0, |weight| weight[place]);
    }
    let mut grad_input = vec![0.0; input.len()];
    for group in groups(geometry, input.len()) {
        let mean = |value: &dyn Fn(usize) -> f64| group.iter().map(|&i| value(i)).sum::<f64>() / group.len() as f64;
        let shift = if geometry.centered { mean(&|i| grad_normalized[i]) } else { 0.0 };
        let slope = mean(&|i| grad_normalized[i] * normalized[i].0);
        for &i in &group {
            let (value, inverse_deviation) = normalized[i];
            grad_input[i] = inverse_deviation * (grad_normalized[i] - shift - value * slope);
        }
    }
    Gradients { input: grad_input, weight: grad_weight, bias: grad_bias }
}

/// Each value normalized, and the inverse deviation of its group.
fn normalized(geometry: &GroupNormGeometry, input: &[f64]) -> Vec<(f64, f64)> {
    let mut normalized = vec![(0.0, 0.0); input.len()];
    for group in groups(geometry, input.len()) {
        let count = group.len() as f64;
        let mean = if geometry.centered { group.iter().map(|&i| input[i]).sum::<f64>() / count } else { 0.0 };
        let variance = group.iter().map(|&i| (input[i] - mean) * (input[i] - mean)).sum::<f64>() / count;
        let inverse_deviation = 1.0 / (variance + geometry.eps).sqrt();
        for &i in &group {
            normalized[i] = ((input[i] - mean) * inverse_deviation, inverse_deviation);
        }
    }
    normalized
}

/// The values of each group of each sample.
fn groups(geometry: &GroupNormGeometry, len: usize) -> Vec<Vec<usize>> {
    let sample = geometry.channels * geometry.cells();
    let of_group = geometry.channels / geometry.groups;
    let mut groups = Vec::new();
    for n in 0..samples(len, sample) {
        for g in 0..geometry.groups {
            let is_of_group = |i: &usize| i % geometry.channels / of_group == g;
            groups.push((n * sample..(n + 1) * sample).filter(is_of_group).collect());
        }
    }
    groups
}
