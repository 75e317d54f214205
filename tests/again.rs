//! Maps that are made again on the way back have the bits of those that are kept: the same network, whose sizes the macro knows,
//! and whose sizes only rustc knows, so that every map has a place of its own.

use cnn_core::prelude::*;

const WIDE: usize = 64;

network! {
    /// Its normalizations, a sum and a small convolution are made again.
    pub Known<3, 16, 16> {
        stem: conv2d<64, 3>(padding = 1, bias = false), norm: batch_norm2d, relu, max_pool2d<2>,
        a: add {
            same: [
                conv1: conv2d<64, 3>(padding = 1, bias = false), bn1: batch_norm2d, relu,
                conv2: conv2d<64, 3>(padding = 1, bias = false), bn2: batch_norm2d,
            ],
            [],
        },
        relu,
        b: add {
            down: [
                conv1: conv2d<64, 3>(padding = 1, stride = 2, bias = false), bn1: batch_norm2d, relu6,
                conv2: conv2d<64, 3>(padding = 1, bias = false), bn2: batch_norm2d(affine = false),
            ],
            short: [conv: conv2d<64, 1>(stride = 2, bias = false), bn: batch_norm2d(track_running_stats = false)],
        },
        relu,
        c: add {
            [conv1: conv2d<64, 1>(bias = false), bn1: batch_norm2d, hardswish, conv2: conv2d<64, 1>, bn2: batch_norm2d, silu],
            [],
        },
        leaky_relu, conv3: conv2d<64, 1>(bias = false), bn3: batch_norm2d, gelu,
        adaptive_avg_pool2d<1>, flatten, fc: linear<10>,
    }
}

network! {
    /// The same, of which nothing is made again.
    pub Kept<3, 16, 16> {
        stem: conv2d<{WIDE}, 3>(padding = 1, bias = false), norm: batch_norm2d, relu, max_pool2d<2>,
        a: add {
            same: [
                conv1: conv2d<{WIDE}, 3>(padding = 1, bias = false), bn1: batch_norm2d, relu,
                conv2: conv2d<{WIDE}, 3>(padding = 1, bias = false), bn2: batch_norm2d,
            ],
            [],
        },
        relu,
        b: add {
            down: [
                conv1: conv2d<{WIDE}, 3>(padding = 1, stride = 2, bias = false), bn1: batch_norm2d, relu6,
                conv2: conv2d<{WIDE}, 3>(padding = 1, bias = false), bn2: batch_norm2d(affine = false),
            ],
            short: [conv: conv2d<{WIDE}, 1>(stride = 2, bias = false), bn: batch_norm2d(track_running_stats = false)],
        },
        relu,
        c: add {
            [conv1: conv2d<{WIDE}, 1>(bias = false), bn1: batch_norm2d, hardswish, conv2: conv2d<{WIDE}, 1>, bn2: batch_norm2d, silu],
            [],
        },
        leaky_relu, conv3: conv2d<{WIDE}, 1>(bias = false), bn3: batch_norm2d, gelu,
        adaptive_avg_pool2d<1>, flatten, fc: linear<10>,
    }
}

/// The loss, the gradients and the state after three steps.
fn trained<N: Network<Input = Chw<3, 16, 16>, Output = Flat<10>>>(mode: Mode) -> Result<Vec<u32>, Error> {
    let mut net = N::new(5);
    let mut input = Batch::<N::Input>::zeros(6);
    input
        .values_mut()
        .iter_mut()
        .enumerate()
        .for_each(|(index, value)| *value = ((index * 37 % 101) as f32 - 50.0) / 40.0);
    let labels = Labels::<10>::new(&[0, 3, 9, 1, 1, 4])?;
    let mut training = Training::new(7);
    let mut sgd = Sgd::new(SgdOptions::new(0.05).momentum(0.9))?;
    let mut numbers = Vec::new();
    for _ in 0..3 {
        numbers.push(training.backward(mode, &mut net, &input, &CrossEntropy::new(&labels))?);
        numbers.extend_from_slice(training.gradients().values());
        sgd.step(&mut net, training.gradients());
    }
    numbers.extend_from_slice(net.weights().values());
    numbers.extend_from_slice(net.weights().state());
    Ok(numbers.into_iter().map(f32::to_bits).collect())
}

#[test]
fn what_is_made_again_has_the_same_bits() -> Result<(), Error> {
    const { assert!(Known::MEMORY.training * 3 < Kept::MEMORY.training * 2) };
    for mode in [Mode::Training, Mode::Evaluation] {
        assert_eq!(trained::<Known>(mode)?, trained::<Kept>(mode)?, "{mode:?}");
    }
    Ok(())
}
