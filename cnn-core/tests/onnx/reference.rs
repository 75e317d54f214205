//! The reference answers.

use cnn_core::kernel::geometry::Pool2dGeometry;
use cnn_core::reference::batch_norm2d::{self, Affine, Statistics};
use cnn_core::reference::multiply::{self, Branch};
use cnn_core::reference::{
    activation, adaptive_avg_pool2d, adaptive_max_pool2d, add, avg_pool2d, concat, conv_transpose2d, conv2d, linear,
    local_response_norm, log_softmax, max_pool2d, pad2d, prelu, softmax, upsample,
};

use crate::call::{BatchNormTensors, Call};

pub(crate) fn answer(call: &Call) -> Vec<Vec<f64>> {
    let output = match call {
        Call::Conv2d { geometry, input, weight, bias } => conv2d::forward(geometry, input, weight, bias.as_deref()),
        Call::ConvTranspose2d { geometry, input, weight, bias } => {
            conv_transpose2d::forward(geometry, input, weight, bias.as_deref())
        }
        Call::Linear { geometry, input, weight, bias } => linear::forward(geometry, input, weight, bias.as_deref()),
        Call::MaxPool2d { geometry, input } => {
            return vec![max_pool2d::forward(geometry, input), winners(geometry, input)];
        }
        Call::AvgPool2d { geometry, input } => avg_pool2d::forward(geometry, input),
        Call::AdaptiveMaxPool2d { geometry, input } => adaptive_max_pool2d::forward(geometry, input),
        Call::AdaptiveAvgPool2d { geometry, input } => adaptive_avg_pool2d::forward(geometry, input),
        Call::Activation { activation, input } => activation::forward(*activation, input),
        Call::Prelu { channels, input, weight } => prelu::forward(*channels, input, weight),
        Call::Softmax { channels, input } => softmax::forward(*channels, input),
        Call::LogSoftmax { channels, input } => log_softmax::forward(*channels, input),
        Call::BatchNorm { geometry, training, input, tensors } => {
            let BatchNormTensors { weight, bias, running_mean, running_variance } = tensors;
            let mut running = Statistics { mean: running_mean.clone(), variance: running_variance.clone() };
            let affine = Some(Affine { weight, bias });
            if *training {
                let batch = batch_norm2d::statistics(geometry, input);
                batch_norm2d::update_running(geometry, &mut running, &batch, input.len() / geometry.channels, 1);
                let output = batch_norm2d::forward(geometry, input, &batch, affine);
                return vec![output, running.mean, running.variance];
            }
            batch_norm2d::forward(geometry, input, &running, affine)
        }
        Call::LocalResponseNorm { geometry, input } => local_response_norm::forward(geometry, input),
        Call::Add { branches } => add::forward(&branches.iter().map(Vec::as_slice).collect::<Vec<_>>()),
        Call::Multiply { channels, branches } => {
            let branches = branches.iter().map(|(positions, values)| Branch { positions: *positions, values });
            multiply::forward(*channels, &branches.collect::<Vec<_>>())
        }
        Call::Concat { channels, branches } => {
            concat::forward(channels, &branches.iter().map(Vec::as_slice).collect::<Vec<_>>())
        }
        Call::Upsample { geometry, input } => upsample::forward(geometry, input),
        Call::Pad2d { geometry, input } => pad2d::forward(geometry, input),
    };
    vec![output]
}

/// The flat index of the input that each output is: where the backward pass puts that output's gradient.
fn winners(geometry: &Pool2dGeometry, input: &[f64]) -> Vec<f64> {
    let outputs = input.len() / geometry.in_len() * geometry.out_len();
    let winner = |output: usize| {
        let mut grad_output = vec![0.0; outputs];
        grad_output[output] = 1.0;
        let grad_input = max_pool2d::backward(geometry, input, &grad_output);
        grad_input.iter().position(|&grad| grad == 1.0).expect("a winner") as f64
    };
    (0..outputs).map(winner).collect()
}
