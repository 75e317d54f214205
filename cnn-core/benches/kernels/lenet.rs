//! The kernels of one network together.

use crate::convolution::CASES;
use crate::pooling::POOLS;
use crate::work::{best, noise};
use cnn_core::kernel::convolution::{self, Epilogue};
use cnn_core::kernel::geometry::Conv2dGeometry;
use cnn_core::kernel::memory::buffer::Buffer;
use cnn_core::kernel::memory::scratch::{Needs, Scratch};
use cnn_core::kernel::pointwise::join;
use cnn_core::kernel::pooling;
use cnn_core::kernel::rows::{Rows, RowsMut};
use cnn_core::kernel::{FusedActivation, Write};

fn rectify(layer: &Conv2dGeometry, output: &[f32], grad: &mut [f32]) {
    join::rectify_backward(layer.out_channels, FusedActivation::Relu, Rows::dense(output), RowsMut::dense(grad));
}

/// The kernels of a training step of LeNet-5 with 64 samples, from the first convolution to the last gradient.
pub(crate) fn measure() {
    const BATCH: usize = 64;
    let [conv1, conv2, fc1, fc2, fc3] = core::array::from_fn(|index| CASES[index].geometry);
    let [pool1, pool2] = [POOLS[1].2, POOLS[2].2];
    let layers = [conv1, conv2, fc1, fc2, fc3];
    let needs = layers.iter().fold(Needs::default(), |needs, layer| needs.max(layer.needs()));
    let mut scratch = Scratch::new(needs, rayon::current_num_threads());
    let weights = layers.map(|layer| noise(layer.weight_len()));
    let biases = layers.map(|layer| noise(layer.out_channels));
    let mut weight_gradients = weights.clone();
    let mut bias_gradients = biases.clone();
    let input = noise(BATCH * conv1.in_len());
    let mut outputs = layers.map(|layer| Buffer::zeros(BATCH * layer.out_len()));
    let mut pooled = [pool1, pool2].map(|pool| Buffer::zeros(BATCH * pool.out_len()));
    let mut gradients = layers.map(|layer| Buffer::zeros(BATCH * layer.out_len()));
    let mut pooled_gradients = pooled.clone();
    let time = best(|| {
        for layer in 0..5 {
            let (before, output) = outputs.split_at_mut(layer);
            let input = match layer {
                0 => &input,
                1 | 2 => &pooled[layer - 1],
                _ => &before[layer - 1],
            };
            let output = &mut output[0];
            let fused = if layer < 4 { FusedActivation::Relu } else { FusedActivation::None };
            let epilogue = Epilogue { bias: Some(&biases[layer]), fused, ..Epilogue::default() };
            convolution::forward(&layers[layer], epilogue, input, &weights[layer], output, &mut scratch);
            if layer < 2 {
                pooling::max_forward(&[pool1, pool2][layer], output, &mut pooled[layer]);
            }
        }
        gradients[4].fill(0.1);
        for layer in (0..5).rev() {
            let (before, grad_output) = gradients.split_at_mut(layer);
            let grad_output = &grad_output[0];
            let input = match layer {
                0 => &input,
                1 | 2 => &pooled[layer - 1],
                _ => &outputs[layer - 1],
            };
            let grad_bias = Some(&mut bias_gradients[layer][..]);
            let grad_weight = &mut weight_gradients[layer];
            convolution::backward_weight(&layers[layer], input, grad_output, grad_weight, grad_bias, &mut scratch);
            let weight = &weights[layer];
            match layer {
                0 => {}
                1 | 2 => {
                    let below = layer - 1;
                    let grad = &mut pooled_gradients[below];
                    convolution::backward_input(&layers[layer], weight, grad_output, grad, Write::Store, &mut scratch);
                    rectify(&layers[below], &pooled[below], grad);
                    let pool = [pool1, pool2][below];
                    let (input, output) = (&outputs[below], &pooled[below]);
                    pooling::max_backward(&pool, input, output, grad, &mut before[below], Write::Store);
                }
                _ => {
                    let grad = &mut before[layer - 1];
                    convolution::backward_input(&layers[layer], weight, grad_output, grad, Write::Store, &mut scratch);
                    rectify(&layers[layer - 1], &outputs[layer - 1], grad);
                }
            }
        }
    });
    println!("\nkernels of a LeNet-5 step, batch {BATCH}: {:.1} microseconds", time * 1e6);
}
