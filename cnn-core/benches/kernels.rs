//! GFLOP/s of the convolutions, forward and backward: `cargo bench -p cnn-core --bench kernels [-- filter [threads]]`.
//!
//! The best of many runs, because other programs only ever make a run slower.

use cnn_core::kernel::convolution::packed::{self, MadeFor};
use cnn_core::kernel::convolution::{self, Epilogue};
use cnn_core::kernel::geometry::{
    Activation, BatchNorm2dGeometry, Conv2dAlgorithm, Conv2dGeometry, GeluApproximation, Layout, Padding,
    Pool2dGeometry,
};
use cnn_core::kernel::memory::buffer::Buffer;
use cnn_core::kernel::memory::scratch::{Needs, Scratch};
use cnn_core::kernel::pointwise::activation::{self, Remembered};
use cnn_core::kernel::pointwise::join;
use cnn_core::kernel::pooling;
use cnn_core::kernel::rows::{Rows, RowsMut};
use cnn_core::kernel::{Rectifier, Write, isa};
use std::time::{Duration, Instant};

struct Case {
    name: &'static str,
    batch: usize,
    geometry: Conv2dGeometry,
}

const fn conv(channels: [usize; 2], size: usize, kernel: usize, stride: usize, padding: usize) -> Conv2dGeometry {
    Conv2dGeometry {
        in_channels: channels[0],
        in_size: [size, size],
        out_channels: channels[1],
        kernel_size: [kernel, kernel],
        stride: [stride, stride],
        padding: Padding::symmetric([padding, padding]),
        unread: [0, 0],
        algorithm: Conv2dAlgorithm::Auto,
        dilation: [1, 1],
        groups: 1,
        layout: Layout::DENSE,
    }
}

const fn depthwise(channels: usize, size: usize, kernel: usize, stride: usize) -> Conv2dGeometry {
    Conv2dGeometry { groups: channels, ..conv([channels, channels], size, kernel, stride, kernel / 2) }
}

const CASES: &[Case] = &[
    Case { name: "lenet conv1", batch: 64, geometry: conv([1, 6], 28, 5, 1, 2) },
    Case { name: "lenet conv2", batch: 64, geometry: conv([6, 16], 14, 5, 1, 0) },
    Case { name: "lenet fc1", batch: 64, geometry: conv([400, 120], 1, 1, 1, 0) },
    Case { name: "lenet fc2", batch: 64, geometry: conv([120, 84], 1, 1, 1, 0) },
    Case { name: "lenet fc3", batch: 64, geometry: conv([84, 10], 1, 1, 1, 0) },
    Case { name: "5x5 1->16@28", batch: 8, geometry: conv([1, 16], 28, 5, 1, 2) },
    Case { name: "7x7/2 3->64@224", batch: 8, geometry: conv([3, 64], 224, 7, 2, 3) },
    Case { name: "3x3 64->64@56", batch: 8, geometry: conv([64, 64], 56, 3, 1, 1) },
    Case { name: "3x3 128->128@28", batch: 8, geometry: conv([128, 128], 28, 3, 1, 1) },
    Case { name: "3x3/2 128->256@28", batch: 8, geometry: conv([128, 256], 28, 3, 2, 1) },
    Case { name: "3x3 256->256@14", batch: 8, geometry: conv([256, 256], 14, 3, 1, 1) },
    Case { name: "3x3 512->512@7", batch: 8, geometry: conv([512, 512], 7, 3, 1, 1) },
    Case { name: "1x1 256->64@56", batch: 8, geometry: conv([256, 64], 56, 1, 1, 0) },
    Case { name: "1x1 1024->256@14", batch: 8, geometry: conv([1024, 256], 14, 1, 1, 0) },
    Case { name: "1x1/2 64->128@56", batch: 8, geometry: conv([64, 128], 56, 1, 2, 0) },
    Case { name: "3x3 64->64@56", batch: 1, geometry: conv([64, 64], 56, 3, 1, 1) },
    Case { name: "3x3 512->512@7", batch: 1, geometry: conv([512, 512], 7, 3, 1, 1) },
    Case { name: "1x1 24->144@56", batch: 1, geometry: conv([24, 144], 56, 1, 1, 0) },
    Case { name: "1x1 144->24@56", batch: 1, geometry: conv([144, 24], 56, 1, 1, 0) },
    Case { name: "1x1 384->64@14", batch: 1, geometry: conv([384, 64], 14, 1, 1, 0) },
    Case { name: "1x1 64->384@14", batch: 1, geometry: conv([64, 384], 14, 1, 1, 0) },
    Case { name: "1x1 960->160@7", batch: 1, geometry: conv([960, 160], 7, 1, 1, 0) },
    Case { name: "1x1 320->1280@7", batch: 1, geometry: conv([320, 1280], 7, 1, 1, 0) },
    Case { name: "3x3/2 3->32@224", batch: 1, geometry: conv([3, 32], 224, 3, 2, 1) },
    Case { name: "depthwise 3x3 32@112", batch: 1, geometry: depthwise(32, 112, 3, 1) },
    Case { name: "depthwise /2 96@112", batch: 1, geometry: depthwise(96, 112, 3, 2) },
    Case { name: "depthwise 3x3 144@56", batch: 1, geometry: depthwise(144, 56, 3, 1) },
    Case { name: "depthwise 3x3 384@14", batch: 1, geometry: depthwise(384, 14, 3, 1) },
    Case { name: "depthwise 3x3 960@7", batch: 1, geometry: depthwise(960, 7, 3, 1) },
    Case { name: "depthwise 5x5 240@14", batch: 1, geometry: depthwise(240, 14, 5, 1) },
    Case { name: "depthwise 3x3 144@56", batch: 8, geometry: depthwise(144, 56, 3, 1) },
    Case { name: "linear 4096->4096", batch: 1, geometry: conv([4096, 4096], 1, 1, 1, 0) },
    Case { name: "linear 4096->4096", batch: 64, geometry: conv([4096, 4096], 1, 1, 1, 0) },
];

fn best(mut run: impl FnMut()) -> f64 {
    run();
    let (start, mut best, mut runs) = (Instant::now(), Duration::MAX, 0);
    while runs < 5 || start.elapsed() < Duration::from_millis(300) {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed());
        runs += 1;
    }
    best.as_secs_f64()
}

fn noise(len: usize) -> Buffer {
    let mut buffer = Buffer::zeros(len);
    for (index, value) in buffer.iter_mut().enumerate() {
        *value = (index * 7919 % 1009) as f32 / 1009.0 - 0.5;
    }
    buffer
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let filter = arguments.next().unwrap_or_default();
    let threads = arguments.next().map_or(0, |threads| threads.parse().expect("a number of threads"));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    println!("{} on {} threads; GFLOP/s and microseconds", isa::name(), pool.current_num_threads());
    let titles = ["batch", "forward", "backward input", "backward weight", "packed forward"];
    println!("{:20} {:>5} {:>15} {:>16} {:>16} {}", "", titles[0], titles[1], titles[2], titles[3], titles[4]);
    pool.install(|| CASES.iter().filter(|case| case.name.contains(&filter)).for_each(measure));
    println!("{:20} {:>5} {:>15} {:>16}", "", "batch", "forward", "backward");
    pool.install(|| POOLS.iter().filter(|case| case.0.contains(&filter)).for_each(measure_pool));
    println!("{:20} {:>5} {:>15} {:>16}", "", "batch", "forward", "backward");
    pool.install(|| NORMS.iter().filter(|case| case.0.contains(&filter)).for_each(measure_batch_norm));
    println!("{:20} {:>5} {:>15} {:>16}", "", "values", "forward", "backward");
    pool.install(|| {
        if "activation".contains(&filter) {
            ACTIVATIONS.iter().for_each(measure_activation);
        }
    });
    if filter.is_empty() || "lenet".contains(&filter) {
        pool.install(measure_lenet);
    }
}

/// Batch normalizations of ResNet-18: channels and size.
const NORMS: &[(&str, usize, [usize; 2])] = &[
    ("norm 64@112", 8, [64, 112]),
    ("norm 64@56", 8, [64, 56]),
    ("norm 128@28", 8, [128, 28]),
    ("norm 256@14", 8, [256, 14]),
    ("norm 512@7", 8, [512, 7]),
];

fn measure_batch_norm((name, batch, [channels, size]): &(&str, usize, [usize; 2])) {
    use cnn_core::kernel::normalization::batch_norm2d::{
        self, Affine, AffineGradients, Epilogue, Returned, Saved, SavedMut,
    };
    let geometry = BatchNorm2dGeometry::new(*channels);
    let len = batch * size * size * channels;
    let mut scratch = Scratch::new(geometry.needs(), rayon::current_num_threads());
    let (input, weight, bias) = (noise(len), noise(*channels), noise(*channels));
    let (mut output, mut grad_output, mut grad_input) = (Buffer::zeros(len), noise(len), Buffer::zeros(len));
    let [mut mean, mut inverse, mut grad_weight, mut grad_bias] = core::array::from_fn(|_| Buffer::zeros(*channels));
    let epilogue = Epilogue { rectifier: Rectifier::Relu, ..Epilogue::default() };
    let affine = Some(Affine { weight: &weight, bias: &bias });
    let forward = best(|| {
        let saved = SavedMut { mean: &mut mean, inverse_deviation: &mut inverse };
        batch_norm2d::forward_training(&geometry, affine, epilogue, &input, None, saved, &mut output, &mut scratch);
    });
    let backward = best(|| {
        let saved = Saved { mean: &mean, inverse_deviation: &inverse };
        let returned = Returned { rectifier: Rectifier::Relu, output: &output, grad_output: &mut grad_output };
        let gradients = Some(AffineGradients { weight: &mut grad_weight, bias: &mut grad_bias });
        let grad_input = Some((&mut grad_input[..], Write::Store));
        batch_norm2d::backward_training(
            &geometry,
            saved,
            Some(&weight),
            &input,
            returned,
            grad_input,
            gradients,
            &mut scratch,
        );
    });
    println!("{name:20} {batch:5} {:15.1} {:16.1}", forward * 1e6, backward * 1e6);
}

const ACTIVATIONS: &[(&str, Activation)] = &[
    ("relu", Activation::Relu),
    ("hardswish", Activation::Hardswish),
    ("sigmoid", Activation::Sigmoid),
    ("tanh", Activation::Tanh),
    ("silu", Activation::Silu),
    ("gelu", Activation::Gelu { approximate: GeluApproximation::None }),
    ("gelu tanh", Activation::Gelu { approximate: GeluApproximation::Tanh }),
];

fn measure_activation((name, activation): &(&str, Activation)) {
    const LEN: usize = 1 << 18;
    let (input, grad) = (noise(LEN), noise(LEN));
    let (mut output, mut grad_input) = (Buffer::zeros(LEN), Buffer::zeros(LEN));
    let forward = best(|| activation::forward(*activation, 1, Rows::dense(&input), RowsMut::dense(&mut output)));
    let backward = best(|| {
        let (remembered, grad_input) = (Remembered::Input(Rows::dense(&input)), RowsMut::dense(&mut grad_input));
        activation::backward(*activation, 1, remembered, Rows::dense(&grad), grad_input, Write::Store);
    });
    println!("{name:20} {LEN:5} {:15.1} {:16.1}", forward * 1e6, backward * 1e6);
}

fn rectify(layer: &Conv2dGeometry, output: &[f32], grad: &mut [f32]) {
    join::rectify_backward(layer.out_channels, Rectifier::Relu, Rows::dense(output), RowsMut::dense(grad));
}

/// The kernels of a training step of LeNet-5 with 64 samples, from the first convolution to the last gradient.
fn measure_lenet() {
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
            let rectifier = if layer < 4 { Rectifier::Relu } else { Rectifier::None };
            let epilogue = Epilogue { bias: Some(&biases[layer]), rectifier, ..Epilogue::default() };
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
    println!("kernels of a LeNet-5 step, batch {BATCH}: {:.1} microseconds", time * 1e6);
}

const fn max_pool(channels: usize, size: usize, kernel: usize, stride: usize, padding: usize) -> Pool2dGeometry {
    Pool2dGeometry {
        channels,
        in_size: [size, size],
        kernel_size: [kernel, kernel],
        stride: [stride, stride],
        padding: [padding, padding],
        dilation: [1, 1],
        ceil_mode: false,
        count_include_pad: true,
        divisor_override: None,
        layout: Layout::DENSE,
    }
}

const POOLS: &[(&str, usize, Pool2dGeometry)] = &[
    ("lenet pool1", 8, max_pool(6, 28, 2, 2, 0)),
    ("lenet pool1", 64, max_pool(6, 28, 2, 2, 0)),
    ("lenet pool2", 64, max_pool(16, 10, 2, 2, 0)),
    ("pool 2x2 64@32", 64, max_pool(64, 32, 2, 2, 0)),
    ("pool 3x3/2 64@112", 8, max_pool(64, 112, 3, 2, 1)),
];

fn measure_pool((name, batch, geometry): &(&str, usize, Pool2dGeometry)) {
    let input = noise(batch * geometry.in_len());
    let grad_output = noise(batch * geometry.out_len());
    let mut output = Buffer::zeros(batch * geometry.out_len());
    let mut grad_input = Buffer::zeros(batch * geometry.in_len());
    let forward = best(|| pooling::max_forward(geometry, &input, &mut output));
    let backward =
        best(|| pooling::max_backward(geometry, &input, &output, &grad_output, &mut grad_input, Write::Store));
    println!("{name:20} {batch:5} {:15.1} {:16.1}", forward * 1e6, backward * 1e6);
}

fn measure(case: &Case) {
    let Case { name, batch, geometry } = case;
    let mut scratch = Scratch::new(geometry.needs(), rayon::current_num_threads());
    let input = noise(batch * geometry.in_len());
    let weight = noise(geometry.weight_len());
    let bias = noise(geometry.out_channels);
    let grad_output = noise(batch * geometry.out_len());
    let mut output = Buffer::zeros(batch * geometry.out_len());
    let mut grad_input = Buffer::zeros(batch * geometry.in_len());
    let mut grad_weight = Buffer::zeros(geometry.weight_len());
    let mut grad_bias = Buffer::zeros(geometry.out_channels);
    let epilogue = Epilogue { bias: Some(&bias), rectifier: Rectifier::Relu, ..Epilogue::default() };
    let times = [
        best(|| convolution::forward(geometry, epilogue, &input, &weight, &mut output, &mut scratch)),
        best(|| {
            convolution::backward_input(geometry, &weight, &grad_output, &mut grad_input, Write::Store, &mut scratch);
        }),
        best(|| {
            let bias = Some(&mut grad_bias[..]);
            convolution::backward_weight(geometry, &input, &grad_output, &mut grad_weight, bias, &mut scratch);
        }),
    ];
    let mut packed = Buffer::zeros(packed::packed_len(geometry));
    packed::pack(geometry, MadeFor::OneSample, &weight, Some(&bias), &mut packed);
    let epilogue = Epilogue { bias: None, ..epilogue };
    let with_packed = best(|| packed::forward(geometry, epilogue, &input, &packed, &mut output, &mut scratch));
    let work = 2.0 * (batch * geometry.multiply_adds()) as f64;
    let rates = times.map(|time| format!("{:6.1} {:8.1}", work / time / 1e9, time * 1e6));
    let with_packed = with_packed * 1e6;
    println!("{name:20} {batch:5} {:>15} {:>16} {:>16} {with_packed:8.1}", rates[0], rates[1], rates[2]);
}
