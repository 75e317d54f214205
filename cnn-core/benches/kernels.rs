//! GFLOP/s of the convolutions, forward and backward: `cargo bench -p cnn-core --bench kernels [-- filter [threads]]`.
//!
//! The best of many runs, because other programs only ever make a run slower.

use cnn_core::kernel::buffer::Buffer;
use cnn_core::kernel::direct::{self, Epilogue};
use cnn_core::kernel::geometry::{Conv2dGeometry, Layout, Padding, Pool2dGeometry};
use cnn_core::kernel::scratch::{Needs, Scratch};
use cnn_core::kernel::{Rectifier, Write, elementwise, isa, pool};
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
        dilation: [1, 1],
        groups: 1,
        layout: Layout::DENSE,
    }
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
    Case { name: "3x3 64->64@56", batch: 1, geometry: conv([64, 64], 56, 3, 1, 1) },
    Case { name: "3x3 512->512@7", batch: 1, geometry: conv([512, 512], 7, 3, 1, 1) },
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
    println!("{:20} {:>5} {:>15} {:>16} {:>16}", "", "batch", "forward", "backward input", "backward weight");
    pool.install(|| CASES.iter().filter(|case| case.name.contains(&filter)).for_each(measure));
    println!("{:20} {:>5} {:>15} {:>16}", "", "batch", "forward", "backward");
    pool.install(|| POOLS.iter().filter(|case| case.0.contains(&filter)).for_each(measure_pool));
    pool.install(measure_lenet);
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
            direct::forward(&layers[layer], epilogue, input, &weights[layer], output, &mut scratch);
            if layer < 2 {
                pool::max_forward(&[pool1, pool2][layer], output, &mut pooled[layer]);
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
            direct::backward_weight(&layers[layer], input, grad_output, grad_weight, grad_bias, &mut scratch);
            let weight = &weights[layer];
            match layer {
                0 => {}
                1 | 2 => {
                    let below = layer - 1;
                    let grad = &mut pooled_gradients[below];
                    direct::backward_input(&layers[layer], weight, grad_output, grad, Write::Store, &mut scratch);
                    elementwise::relu_backward_in_place(&pooled[below], grad);
                    let pool = [pool1, pool2][below];
                    let (input, output) = (&outputs[below], &pooled[below]);
                    pool::max_backward(&pool, input, output, grad, &mut before[below], Write::Store);
                }
                _ => {
                    let grad = &mut before[layer - 1];
                    direct::backward_input(&layers[layer], weight, grad_output, grad, Write::Store, &mut scratch);
                    elementwise::relu_backward_in_place(&outputs[layer - 1], grad);
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
    let forward = best(|| pool::max_forward(geometry, &input, &mut output));
    let backward = best(|| pool::max_backward(geometry, &input, &output, &grad_output, &mut grad_input, Write::Store));
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
        best(|| direct::forward(geometry, epilogue, &input, &weight, &mut output, &mut scratch)),
        best(|| {
            direct::backward_input(geometry, &weight, &grad_output, &mut grad_input, Write::Store, &mut scratch);
        }),
        best(|| {
            let bias = Some(&mut grad_bias[..]);
            direct::backward_weight(geometry, &input, &grad_output, &mut grad_weight, bias, &mut scratch);
        }),
    ];
    let work = 2.0 * (batch * geometry.multiply_adds()) as f64;
    let rates = times.map(|time| format!("{:6.1} {:8.1}", work / time / 1e9, time * 1e6));
    println!("{name:20} {batch:5} {:>15} {:>16} {:>16}", rates[0], rates[1], rates[2]);
}
