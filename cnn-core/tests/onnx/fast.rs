//! The loops of `kernel` answer.

use cnn_core::kernel::FusedActivation;
use cnn_core::kernel::convolution::conv_transpose2d;
use cnn_core::kernel::convolution::linear;
use cnn_core::kernel::convolution::{self, Epilogue};
use cnn_core::kernel::memory::scratch::Scratch;
use cnn_core::kernel::normalization::batch_norm2d::{self, Affine, SavedMut, Statistics, StatisticsMut};
use cnn_core::kernel::normalization::local_response_norm;
use cnn_core::kernel::pointwise::activation;
use cnn_core::kernel::pointwise::join::{self, Gate};
use cnn_core::kernel::pointwise::prelu;
use cnn_core::kernel::pointwise::softmax;
use cnn_core::kernel::pooling;
use cnn_core::kernel::resampling::pad2d;
use cnn_core::kernel::resampling::upsample;
use cnn_core::kernel::rows::{Rows, RowsMut};

use crate::call::Call;

pub(crate) fn answer(call: &Call) -> Vec<Vec<f64>> {
    let mut scratch = Scratch::default();
    let batch = |input: &[f64], in_len: usize, out_len: usize| vec![f32::NAN; input.len() / in_len * out_len];
    let output = match call {
        Call::Conv2d { geometry, input, weight, bias } => {
            let mut output = batch(input, geometry.in_len(), geometry.out_len());
            let bias = bias.as_deref().map(narrow);
            let epilogue = Epilogue { bias: bias.as_deref(), ..Epilogue::default() };
            convolution::forward(geometry, epilogue, &narrow(input), &narrow(weight), &mut output, &mut scratch);
            output
        }
        Call::Linear { geometry, input, weight, bias } => {
            let mut output = batch(input, geometry.in_features, geometry.out_features);
            let bias = bias.as_deref().map(narrow);
            let epilogue = Epilogue { bias: bias.as_deref(), ..Epilogue::default() };
            linear::forward(geometry, epilogue, &narrow(input), &narrow(weight), &mut output, &mut scratch);
            output
        }
        Call::MaxPool2d { geometry, input } => {
            let mut output = batch(input, geometry.in_len(), geometry.out_len());
            pooling::max_forward(geometry, &narrow(input), &mut output);
            output
        }
        Call::AvgPool2d { geometry, input } => {
            let mut output = batch(input, geometry.in_len(), geometry.out_len());
            pooling::average_forward(geometry, &narrow(input), &mut output);
            output
        }
        Call::AdaptiveAvgPool2d { geometry, input } => {
            let mut output = batch(input, geometry.in_len(), geometry.out_len());
            pooling::adaptive_average_forward(geometry, &narrow(input), &mut output);
            output
        }
        Call::Activation { activation, input } => {
            let mut output = narrow(input);
            activation::forward_in_place(*activation, 1, RowsMut::dense(&mut output));
            output
        }
        Call::Prelu { channels, input, weight } => {
            let mut output = vec![f32::NAN; input.len()];
            let input = narrow(input);
            prelu::forward(*channels, &narrow(weight), Rows::dense(&input), RowsMut::dense(&mut output));
            output
        }
        Call::Softmax { channels, input } => {
            let mut output = vec![f32::NAN; input.len()];
            softmax::forward(*channels, Rows::dense(&narrow(input)), RowsMut::dense(&mut output));
            output
        }
        Call::LogSoftmax { channels, input } => {
            let mut output = vec![f32::NAN; input.len()];
            softmax::log_forward(*channels, Rows::dense(&narrow(input)), RowsMut::dense(&mut output));
            output
        }
        Call::ConvTranspose2d { geometry, input, weight, bias } => {
            let mut output = batch(input, geometry.in_len(), geometry.out_len());
            let bias = bias.as_deref().map(narrow);
            let epilogue = Epilogue { bias: bias.as_deref(), ..Epilogue::default() };
            conv_transpose2d::forward(geometry, epilogue, &narrow(input), &narrow(weight), &mut output, &mut scratch);
            output
        }
        Call::AdaptiveMaxPool2d { geometry, input } => {
            let mut output = batch(input, geometry.in_len(), geometry.out_len());
            pooling::adaptive_max_forward(geometry, &narrow(input), &mut output);
            output
        }
        Call::LocalResponseNorm { geometry, input } => {
            let mut output = vec![f32::NAN; input.len()];
            local_response_norm::forward(geometry, &narrow(input), &mut output, &mut scratch);
            output
        }
        Call::Upsample { geometry, input } => {
            let mut output = batch(input, geometry.in_len(), geometry.out_len());
            upsample::forward(geometry, &narrow(input), &mut output);
            output
        }
        Call::Pad2d { geometry, input } => {
            let mut output = batch(input, geometry.in_len(), geometry.out_len());
            pad2d::forward(geometry, &narrow(input), &mut output);
            output
        }
        Call::BatchNorm { geometry, training, input, tensors } => {
            let [weight, bias, mut mean, mut variance] =
                [&tensors.weight, &tensors.bias, &tensors.running_mean, &tensors.running_variance].map(|t| narrow(t));
            let (affine, fused) = (Some(Affine { weight: &weight, bias: &bias }), FusedActivation::None);
            let (input, mut output) = (narrow(input), vec![f32::NAN; input.len()]);
            if *training {
                let (mut saved_mean, mut inverse_deviation) = (mean.clone(), mean.clone());
                let saved = SavedMut { mean: &mut saved_mean, inverse_deviation: &mut inverse_deviation };
                let running = Some(StatisticsMut { batches: 1, mean: &mut mean, variance: &mut variance });
                batch_norm2d::forward_training(
                    geometry,
                    affine,
                    fused,
                    &input,
                    running,
                    saved,
                    &mut output,
                    &mut scratch,
                );
                return [output, mean, variance].map(widen).into();
            }
            let statistics = Statistics { mean: &mean, variance: &variance };
            batch_norm2d::forward_evaluation(geometry, statistics, affine, fused, &input, &mut output, &mut scratch);
            output
        }
        Call::Add { branches } => {
            let mut sum = narrow(&branches[0]);
            for branch in &branches[1..] {
                join::accumulate(1, FusedActivation::None, Rows::dense(&narrow(branch)), RowsMut::dense(&mut sum));
            }
            sum
        }
        Call::Multiply { channels, branches } => {
            // The widest first, which the others meet or gate.
            let mut branches: Vec<_> =
                branches.iter().map(|(positions, values)| (*positions, narrow(values))).collect();
            branches.sort_by_key(|(positions, _)| std::cmp::Reverse(*positions));
            let (cells, mut product) = branches.remove(0);
            for (positions, branch) in branches {
                if positions == cells {
                    join::multiply_in_place(*channels, Rows::dense(&branch), RowsMut::dense(&mut product));
                } else {
                    let gate = Gate { channels: *channels, cells };
                    join::gate_in_place(gate, &branch, RowsMut::dense(&mut product));
                }
            }
            product
        }
        Call::Concat { channels, branches } => {
            let all: usize = channels.iter().sum();
            let mut output = batch(&branches[0], channels[0], all);
            let mut first = 0;
            for (channels, branch) in channels.iter().zip(branches) {
                let part = RowsMut::strided(&mut output[first..], all);
                join::copy(*channels, Rows::dense(&narrow(branch)), part);
                first += channels;
            }
            output
        }
    };
    vec![widen(output)]
}

fn widen(values: Vec<f32>) -> Vec<f64> {
    values.into_iter().map(f64::from).collect()
}

fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&value| value as f32).collect()
}
