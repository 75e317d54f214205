//! The same seed gives the same bits, on any number of threads.

use cnn_core::prelude::*;

network! {
    /// LeNet-5 with dropout, so that random layers take part.
    pub LeNet5<1, 28, 28> {
        conv1: conv2d<6, 5>(padding = 2), relu, max_pool2d<2>,
        conv2: conv2d<16, 5>, relu, max_pool2d<2>, dropout(p = 0.1),
        flatten, fc1: linear<120>, relu, dropout, fc2: linear<84>, relu, fc3: linear<10>,
    }

    /// Channels that fill vectors, and maps that do not.
    pub Small<3, 13, 13> {
        conv2d<32, 3>(padding = 1), relu, max_pool2d<2>,
        conv2d<48, 3>(stride = 2), relu, adaptive_avg_pool2d<1>, flatten, linear<10>,
    }
}

network! {
    /// Normalizations over the whole batch, groups, and a filter for each channel.
    pub Normal<3, 13, 13> {
        conv2d<32, 3>(padding = 1, bias = false), batch_norm2d, relu,
        conv2d<channels, 3>(padding = same, groups = channels, bias = false), batch_norm2d, relu,
        conv2d<48, 1>(groups = 2), batch_norm2d, max_pool2d<2>(ceil_mode = true), batch_norm2d, relu,
        adaptive_avg_pool2d<1>, flatten, linear<10>,
    }

    /// Layers that are none of the others.
    pub Others<3, 13, 13> {
        conv2d<24, 3>, prelu(num_parameters = channels), local_response_norm<5>, dropout2d(p = 0.1),
        linear<20>(over = channels), layer_scale(init_value = 0.5), drop_path(p = 0.1),
        conv_transpose2d<16, 3>(stride = 2, output_padding = 1), hardswish, zero_pad2d<1>, reflection_pad2d<2>, gelu,
        adaptive_max_pool2d<6>, upsample(scale_factor = 2, mode = bilinear), conv2d<12, 3>(stride = 2), silu,
        upsample(scale_factor = 3), tanh, prelu, adaptive_avg_pool2d<1>, flatten, linear<10>, log_softmax,
    }
}

network! {
    /// By Winograd's algorithm, in blocks of tiles and by panels, and maps that are made again.
    pub Transformed<3, 16, 16> {
        conv2d<32, 3>(padding = 1, bias = false), batch_norm2d, relu, conv2d<64, 3>(padding = 1), relu, max_pool2d<2>,
        add { [middle: conv2d<64, 3>(padding = 1, bias = false), n: batch_norm2d], [] }, relu,
        wide: conv2d<192, 3>(padding = 1), relu, last: conv2d<192, 3>(padding = 1), relu,
        adaptive_avg_pool2d<1>, flatten, fc: linear<10>,
    }
}

network! {
    /// Products of maps, of several channels and of one with more rows than a task has, and what is learned for all samples.
    pub Attention<3, 10, 10> {
        conv2d<12, 3>(padding = 1), reshape<12, 1, 100> as patches, places: parameter<12, 1, 100>(init_value = 0.1) as places,
        patches, map(|x, places| x + places) as x,
        q: linear<12>(over = channels), reshape<3, 4, 100>, transpose as q,
        x, k: linear<12>(over = channels), reshape<3, 4, 100> as k,
        matmul { q, k }, softmax(over = width), transpose as weights,
        x, reshape<3, 4, 100>, matmul { [], weights }, reshape<1, 12, 100> as y,
        matmul { [y, transpose], y }, softmax(over = width), matmul { y, [] }, reshape<12, 10, 10>,
        adaptive_avg_pool2d<1>, flatten, linear<10>,
    }
}

/// The bits of all weights and of all running statistics after 20 steps.
fn train<N: Network<Output = Flat<10>>>(threads: usize) -> Vec<u32> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| -> Result<_, Error> {
        assert_eq!(rayon::current_num_threads(), threads);
        let mut net = N::new(3);
        let mut training = Training::new(3);
        let mut optimizer = Sgd::new(SgdOptions::new(0.05).momentum(0.9))?;
        let count = 19 * <N::Input as cnn_core::shape::Shape>::LEN;
        let images: Vec<f32> = (0..count).map(|i| ((i * 7919) % 255) as f32 / 255.0).collect();
        let images = Batch::from_nchw(&images)?;
        let labels = Labels::new(&std::array::from_fn::<_, 19, _>(|i| (i * 3 % 10) as u8))?;
        for _ in 0..20 {
            training.backward(Mode::Training, &mut net, &images, &CrossEntropy::new(&labels))?;
            optimizer.step(&mut net, training.gradients());
        }
        Ok(net.weights().values().iter().chain(net.weights().state()).map(|value| value.to_bits()).collect())
    })
    .unwrap()
}

fn check<N: Network<Output = Flat<10>>>() {
    let one = train::<N>(1);
    for threads in [2, 3, 8] {
        assert!(one == train::<N>(threads), "{threads} threads make other bits than one");
    }
}

#[test]
fn of_lenet_on_1_2_3_and_8_threads() {
    check::<LeNet5>();
}

#[test]
fn of_wide_channels_on_1_2_3_and_8_threads() {
    check::<Small>();
}

#[test]
fn of_batch_statistics_on_1_2_3_and_8_threads() {
    check::<Normal>();
}

#[test]
fn of_transformed_maps_on_1_2_3_and_8_threads() {
    check::<Transformed>();
}

#[test]
fn of_products_on_1_2_3_and_8_threads() {
    check::<Attention>();
}

#[test]
fn of_the_other_layers_on_1_2_3_and_8_threads() {
    check::<Others>();
}
