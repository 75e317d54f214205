//! A network evaluated in f64 by the reference, with PyTorch's meaning of every layer.

use cnn_core::layer::{Mode, Operation};
use cnn_core::network::{Network, Step};
use cnn_core::reference;
use cnn_core::reference::batch_norm2d::{self, Affine, Statistics};

/// The output of a network in PyTorch's order, for input in PyTorch's order. `parameters` and `state` are laid out as the
/// network's weights; in training the state moves on.
pub(crate) fn forward<N: Network>(mode: Mode, parameters: &[f64], state: &mut [f64], input: &[f64]) -> Vec<f64> {
    let mut own = Own { mode, parameters, state };
    let mut maps = vec![input.to_vec()];
    for step in N::STEPS {
        let map = step_forward(step, &mut own, &maps[step.inputs[0]]);
        maps.push(map);
    }
    assert_eq!((own.parameters.len(), own.state.len()), (0, 0), "all belongs to a step");
    maps.pop().unwrap()
}

/// [`forward`] where no layer has state, or it starts as it always does.
#[allow(dead_code, reason = "not every test that shares this file has state")]
pub(crate) fn evaluate<N: Network>(parameters: &[f64], input: &[f64]) -> Vec<f64> {
    let mut state: Vec<f64> = cnn_core::network::Weights::<N>::new(0).state().iter().copied().map(f64::from).collect();
    forward::<N>(Mode::Evaluation, parameters, &mut state, input)
}

/// What belongs to the steps to come.
struct Own<'a> {
    mode: Mode,
    parameters: &'a [f64],
    state: &'a mut [f64],
}

impl<'a> Own<'a> {
    fn take_state(&mut self, count: usize) -> &'a mut [f64] {
        let (first, rest) = std::mem::take(&mut self.state).split_at_mut(count);
        self.state = rest;
        first
    }
}

/// Maps are `[n, c, h, w]` here.
fn step_forward(step: &Step, own: &mut Own<'_>, input: &[f64]) -> Vec<f64> {
    let (parameters, rest) = own.parameters.split_at(step.operation.parameter_count());
    own.parameters = rest;
    let state = own.take_state(step.operation.state_count());
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
        Operation::BatchNorm2d { geometry, affine, track_running_stats } => {
            let (weight, bias) = parameters.split_at(parameters.len() / 2);
            let affine = affine.then_some(Affine { weight, bias });
            let input = channels_last(input);
            let statistics = if own.mode == Mode::Training || !track_running_stats {
                batch_norm2d::statistics(&geometry, &input)
            } else {
                Statistics {
                    mean: state[..geometry.channels].to_vec(),
                    variance: state[geometry.channels..2 * geometry.channels].to_vec(),
                }
            };
            if own.mode == Mode::Training && track_running_stats {
                let (mean, rest) = state.split_at_mut(geometry.channels);
                let variance = &mut rest[..geometry.channels];
                let mut running = Statistics { mean: mean.to_vec(), variance: variance.to_vec() };
                let rows = input.len() / geometry.channels;
                batch_norm2d::update_running(&geometry, &mut running, &statistics, rows);
                mean.copy_from_slice(&running.mean);
                variance.copy_from_slice(&running.variance);
            }
            channels_first(batch_norm2d::forward(&geometry, &input, &statistics, affine))
        }
        Operation::ConvTranspose2d { geometry, bias } => {
            let (weight, rest) = parameters.split_at(geometry.weight_len());
            let bias = bias.then_some(rest);
            channels_first(reference::conv_transpose2d::forward(&geometry, &channels_last(input), weight, bias))
        }
        Operation::AdaptiveMaxPool2d(geometry) => {
            channels_first(reference::adaptive_max_pool2d::forward(&geometry, &channels_last(input)))
        }
        Operation::LocalResponseNorm(geometry) => {
            channels_first(reference::local_response_norm::forward(&geometry, &channels_last(input)))
        }
        Operation::Upsample(geometry) => channels_first(reference::upsample::forward(&geometry, &channels_last(input))),
        Operation::ZeroPad2d(geometry) => {
            channels_first(reference::zero_pad2d::forward(&geometry, &channels_last(input)))
        }
        Operation::Activation(function) => reference::activation::forward(function, input),
        Operation::Prelu { channels, .. } => {
            channels_first(reference::prelu::forward(channels, &channels_last(input), parameters))
        }
        Operation::LogSoftmax => {
            channels_first(reference::log_softmax::forward(step.input.channels(), &channels_last(input)))
        }
        Operation::Softmax => channels_first(reference::softmax::forward(step.input.channels(), &channels_last(input))),
        Operation::Flatten | Operation::Dropout { .. } | Operation::Dropout2d { .. } => input.to_vec(),
        ref other => panic!("the reference does not know {other:?}"),
    }
}
