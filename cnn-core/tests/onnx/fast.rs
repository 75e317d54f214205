//! The loops of `kernel` answer, as far as there are any.

use cnn_core::kernel::direct::{self, Epilogue};
use cnn_core::kernel::rows::{Rows, RowsMut};
use cnn_core::kernel::scratch::Scratch;
use cnn_core::kernel::{
    activation, conv_transpose2d, linear, local_response_norm, pool, prelu, softmax, upsample, zero_pad2d,
};

use crate::call::Call;

pub(crate) fn answer(call: &Call) -> Option<Vec<Vec<f64>>> {
    let mut scratch = Scratch::default();
    let batch = |input: &[f64], in_len: usize, out_len: usize| vec![f32::NAN; input.len() / in_len * out_len];
    let output = match call {
        Call::Conv2d { geometry, input, weight, bias } => {
            let mut output = batch(input, geometry.in_len(), geometry.out_len());
            let bias = bias.as_deref().map(narrow);
            let epilogue = Epilogue { bias: bias.as_deref(), ..Epilogue::default() };
            direct::forward(geometry, epilogue, &narrow(input), &narrow(weight), &mut output, &mut scratch);
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
            pool::max_forward(geometry, &narrow(input), &mut output);
            output
        }
        Call::AvgPool2d { geometry, input } => {
            let mut output = batch(input, geometry.in_len(), geometry.out_len());
            pool::average_forward(geometry, &narrow(input), &mut output);
            output
        }
        Call::AdaptiveAvgPool2d { geometry, input } => {
            let mut output = batch(input, geometry.in_len(), geometry.out_len());
            pool::adaptive_average_forward(geometry, &narrow(input), &mut output);
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
            geometry.convolution()?;
            let mut output = batch(input, geometry.in_len(), geometry.out_len());
            let bias = bias.as_deref().map(narrow);
            let epilogue = Epilogue { bias: bias.as_deref(), ..Epilogue::default() };
            conv_transpose2d::forward(geometry, epilogue, &narrow(input), &narrow(weight), &mut output, &mut scratch);
            output
        }
        Call::AdaptiveMaxPool2d { geometry, input } => {
            let mut output = batch(input, geometry.in_len(), geometry.out_len());
            pool::adaptive_max_forward(geometry, &narrow(input), &mut output);
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
        Call::ZeroPad2d { geometry, input } => {
            let mut output = batch(input, geometry.in_len(), geometry.out_len());
            zero_pad2d::forward(geometry, &narrow(input), &mut output);
            output
        }
        _ => return None,
    };
    Some(vec![output.into_iter().map(f64::from).collect()])
}

fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&value| value as f32).collect()
}
