//! A network evaluated in f64 by the reference, with PyTorch's meaning of every layer.

use cnn_core::layer::Operation;
use cnn_core::network::{Network, Step};
use cnn_core::reference;

/// The output of a network in evaluation mode, in PyTorch's order, for input in PyTorch's order. `parameters` are laid out
/// as the network's weights.
pub(crate) fn forward<N: Network>(parameters: &[f64], input: &[f64]) -> Vec<f64> {
    let mut start = 0;
    let mut map = input.to_vec();
    for step in N::STEPS {
        let count = step.operation.parameter_count();
        map = step_forward(step, &parameters[start..start + count], &map);
        start += count;
    }
    assert_eq!(start, parameters.len(), "every parameter belongs to a step");
    map
}

/// Maps are `[n, c, h, w]` here.
fn step_forward(step: &Step, parameters: &[f64], input: &[f64]) -> Vec<f64> {
    let channels_last = |map: &[f64]| {
        let (channels, size) = (step.input.channels(), [step.input.height(), step.input.width()]);
        map.chunks_exact(step.input.len())
            .flat_map(|sample| reference::flatten::chw_to_hwc(channels, size, sample))
            .collect::<Vec<_>>()
    };
    let channels_first = |map: Vec<f64>| {
        let (channels, size) = (step.output.channels(), [step.output.height(), step.output.width()]);
        map.chunks_exact(step.output.len())
            .flat_map(|sample| reference::flatten::hwc_to_chw(channels, size, sample))
            .collect::<Vec<_>>()
    };
    match step.operation {
        Operation::Conv2d { geometry, bias } => {
            let (weight, rest) = parameters.split_at(geometry.weight_len());
            let bias = bias.then_some(rest);
            channels_first(reference::conv2d::forward(&geometry, &channels_last(input), weight, bias))
        }
        Operation::Linear { geometry, .. } => {
            // The features are in PyTorch's order, so the weight is taken to PyTorch's order too.
            let (weight, bias) = parameters.split_at(geometry.weight_len());
            let mut pytorch = vec![0.0; weight.len()];
            step.operation.parameters().as_slice()[0].export(weight, &mut pytorch);
            let mut output = Vec::new();
            for sample in input.chunks_exact(geometry.in_features) {
                for (out, row) in pytorch.chunks_exact(geometry.in_features).enumerate() {
                    let sum: f64 = row.iter().zip(sample).map(|(weight, value)| weight * value).sum();
                    output.push(sum + bias.get(out).unwrap_or(&0.0));
                }
            }
            output
        }
        Operation::MaxPool2d(geometry) => {
            channels_first(reference::max_pool2d::forward(&geometry, &channels_last(input)))
        }
        Operation::AvgPool2d(geometry) => {
            channels_first(reference::avg_pool2d::forward(&geometry, &channels_last(input)))
        }
        Operation::AdaptiveAvgPool2d(geometry) => {
            channels_first(reference::adaptive_avg_pool2d::forward(&geometry, &channels_last(input)))
        }
        Operation::Relu => reference::relu::forward(input),
        Operation::Softmax => channels_first(reference::softmax::forward(step.input.channels(), &channels_last(input))),
        Operation::Flatten | Operation::Dropout { .. } => input.to_vec(),
        ref other => panic!("the reference does not know {other:?}"),
    }
}
