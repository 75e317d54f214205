//! Whole networks: output and gradients against the f64 reference and its central differences.

mod common;

use cnn_core::prelude::*;

const SLOPE: f64 = 0.25;
const EPS: f32 = 0.015_625;
const NOTHING: f32 = 0.0;
const FACTOR: f64 = 1.5;
const TWICE: usize = 2;

network! {
    /// Every layer that has a gradient, in orders that share memory in different ways.
    pub Mixed<2, 11, 9> {
        relu,
        conv1: conv2d<5, (3, 2)>(stride = (2, 1), padding = (1, 2), dilation = (1, 2)),
        relu,
        avg_pool2d<2>(stride = 1, padding = 1, count_include_pad = false),
        conv2: conv2d<4, 3>(bias = false),
        max_pool2d<3>(stride = 2, padding = 1),
        relu,
        relu,
        dropout(p = 0.4),
        adaptive_avg_pool2d<(2, 3)>,
        flatten,
        dropout,
        relu,
        fc1: linear<7>,
        relu,
        fc2: linear<4>(bias = false),
    }

    /// LeNet-5.
    pub LeNet5<1, 28, 28> {
        conv1: conv2d<6, 5>(padding = 2), relu, max_pool2d<2>,
        conv2: conv2d<16, 5>, relu, max_pool2d<2>,
        flatten, fc1: linear<120>, relu, fc2: linear<84>, relu, fc3: linear<10>,
    }

    /// A network of features that ends in probabilities.
    pub Odds<5> { linear<6>, softmax, linear<3>, softmax }

    /// Batch normalizations behind everything that may stand before them, with a rectifier and without.
    pub Normal<2, 7, 6> {
        bn0: batch_norm2d(affine = false),
        conv1: conv2d<6, 3>(bias = false), bn1: batch_norm2d, relu,
        max_pool2d<2>(stride = 1), bn2: batch_norm2d(eps = 0.01, momentum = none), dropout(p = 0.0),
        bn3: batch_norm2d(track_running_stats = false), relu,
        conv2: conv2d<3, 1>, bn4: batch_norm2d(affine = false, track_running_stats = false), flatten, fc: linear<4>,
    }

    /// Windows with groups, uneven padding, and remainders.
    pub Windows<4, 9, 8> {
        conv2d<8, (4, 3)>(groups = 2, padding = same), relu,
        conv2d<channels, 3>(groups = channels, padding = (0, 1, 2, 0), stride = (2, 1), bias = false),
        max_pool2d<(2, 3)>(stride = (3, 2), padding = (1, 0), ceil_mode = true),
        conv2d<{ 2 * channels }, 2>(groups = channels, padding = same, dilation = (2, 3)),
        avg_pool2d<(2, 3)>(stride = 2, padding = 1, ceil_mode = true, divisor_override = 4), relu,
        conv2d<6, 1>(groups = 2, padding = 1), avg_pool2d<2>(ceil_mode = true, count_include_pad = false),
        flatten, linear<3>,
    }

    /// Every function of a value, behind what it may join or change in place and behind what it may not.
    pub Functions<3, 6, 5> {
        conv1: conv2d<6, 3>, leaky_relu(negative_slope = 0.2), sigmoid, conv2d<5, 1>, relu6, dropout(p = 0.0), tanh,
        conv2d<6, 1>, relu, hardsigmoid, conv2d<4, 1>(bias = false), hardswish, conv2d<5, 2>, silu,
        conv2d<6, 1>, prelu, gelu, conv2d<4, 1>, gelu(approximate = tanh), prelu(num_parameters = channels),
        max_pool2d<2>, sigmoid, leaky_relu(negative_slope = -0.5), leaky_relu, flatten, fc1: linear<6>, tanh, prelu(num_parameters = 6), hardsigmoid,
        linear<5>, log_softmax,
    }

    /// Maps that grow.
    pub Growing<4, 3, 4> {
        up1: conv_transpose2d<6, 3>(stride = 2, padding = 1, output_padding = 1, groups = 2), relu,
        local_response_norm<4>(alpha = 0.5, k = 2.0),
        up2: conv_transpose2d<4, (2, 3)>(stride = (1, 2), padding = (0, 1, 1, 0), dilation = (2, 1), bias = false),
        zero_pad2d<(1, 0, 2, 1)>, upsample(scale_factor = (1.5, 2)), upsample(scale_factor = 1.3, mode = bilinear),
        conv2d<3, 3>(stride = 2), dropout2d(p = 0.0),
        upsample(size = (5, 11), mode = bilinear), local_response_norm<3>, conv2d<4, 1>(groups = 1),
        upsample(scale_factor = (1, 2), mode = bilinear, align_corners = true),
        up3: conv_transpose2d<2, 2>(dilation = 3, stride = 2, padding = 1, output_padding = 2),
        adaptive_max_pool2d<(3, 4)>, zero_pad2d<1>, conv2d<2, 3>, flatten, linear<3>,
    }

    /// Every layer as a branch that writes some of the channels of a wider map, and reads a map that all share.
    pub Parts<4, 6, 6> {
        bn: batch_norm2d,
        concat {
            b0: [conv2d<3, 1>, relu6],
            b1: [conv2d<5, 3>(padding = 1, bias = false), batch_norm2d, relu],
            b2: [max_pool2d<3>(stride = 1, padding = 1), prelu(num_parameters = channels)],
            b3: [conv2d<4, 1>, hardswish, leaky_relu],
            b4: [local_response_norm<3>, dropout2d(p = 0.0)],
            b5: [batch_norm2d, sigmoid],
            b6: [conv_transpose2d<2, 3>(padding = 1), relu, tanh],
            b7: [upsample(scale_factor = 2, mode = bilinear), adaptive_max_pool2d<6>],
            b8: [conv2d<3, 2>(padding = (0, 1, 1, 0)), softmax],
            b9: log_softmax,
            b10: [dropout(p = 0.0), gelu],
            b11: [avg_pool2d<3>(stride = 1, padding = 1), zero_pad2d<(1, 0, 0, 0)>, conv2d<4, (2, 1)>(groups = channels)],
            b20: zero_pad2d<0>, b21: upsample(scale_factor = 1), b22: batch_norm2d, b23: adaptive_avg_pool2d<6>, b24: prelu,
            b25: hardsigmoid,
            b12: [conv2d<2, 1>, relu, dropout(p = 0.0)],
        },
        conv2d<6, 1>, relu6, dropout(p = 0.0), flatten, linear<3>,
    }

    /// Options with fractions that only rustc knows.
    pub Constants<3, 5, 4> {
        conv2d<4, 3>(padding = 1), leaky_relu(negative_slope = SLOPE), sigmoid, conv2d<3, 2>, leaky_relu(negative_slope = { -2.0 * SLOPE }),
        tanh, conv2d<3, 1>(bias = false), batch_norm2d(eps = EPS, momentum = { 1.0 - SLOPE }), leaky_relu(negative_slope = EPS),
        local_response_norm<3>(alpha = SLOPE, beta = { 3.0 * SLOPE }, k = FACTOR), dropout(p = NOTHING), dropout2d(p = { NOTHING / 2.0 }),
        upsample(scale_factor = FACTOR, mode = bilinear), upsample(scale_factor = (TWICE, { FACTOR })), conv2d<2, 3>(stride = 2),
        avg_pool2d<2>(divisor_override = TWICE), flatten, linear<3>,
    }

    /// A network that ends in a map.
    pub Picture<1, 6, 5> { conv2d<3, 3>(padding = 1), relu, conv2d<2, 1>, softmax, flatten }
}

#[test]
fn of_every_layer() -> Result<(), Error> {
    common::check::<Mixed>(3, 1000)
}

#[test]
fn of_lenet() -> Result<(), Error> {
    common::check::<LeNet5>(2, 40)
}

#[test]
fn through_softmax_in_the_middle_and_at_the_end() -> Result<(), Error> {
    common::check::<Odds>(4, 1000)
}

#[test]
fn of_a_network_that_ends_in_a_flattened_map() -> Result<(), Error> {
    common::check::<Picture>(2, 1000)
}

#[test]
fn of_windows_with_groups_and_remainders() -> Result<(), Error> {
    common::check::<Windows>(2, 1000)
}

#[test]
fn of_functions_of_each_value() -> Result<(), Error> {
    common::check_both::<Functions>(2, 1000)
}

#[test]
fn of_layers_whose_options_are_constants() -> Result<(), Error> {
    common::check_both::<Constants>(2, 1000)
}

#[test]
fn of_every_layer_as_a_part_of_a_wider_map() -> Result<(), Error> {
    common::check_both::<Parts>(2, 1000)
}

#[test]
fn of_maps_that_grow() -> Result<(), Error> {
    common::check_both::<Growing>(2, 1000)
}

#[test]
fn of_batch_normalizations() -> Result<(), Error> {
    common::check_both::<Normal>(3, 1000)
}

#[test]
fn one_value_for_each_channel_is_an_error_that_names_the_step() -> Result<(), Error> {
    network! {
        /// A normalization of single cells.
        Pooled<2, 4, 4> { bn0: batch_norm2d, adaptive_avg_pool2d<1>, head: [bn: batch_norm2d, flatten, linear<2>] }
    }
    let mut net = Pooled::new(0);
    let (one, labels) = (Batch::from_nchw(&[0.5; 32])?, Labels::new(&[1])?);
    let mut training = Training::new(0);
    let error = training.backward(Mode::Training, &mut net, &one, &CrossEntropy::new(&labels)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "head.bn: batch_norm2d has no variance to train with: one 2x1x1 sample has one value for each channel; take at \
         least two samples"
    );
    assert_eq!(net.weights(), Pooled::new(0).weights());
    training.backward(Mode::Evaluation, &mut net, &one, &CrossEntropy::new(&labels))?;
    Ok(())
}

/// In training, the gradient is that of the function with what dropout dropped: scaling an input that was dropped changes
/// nothing, and the same step draws the same.
#[test]
fn dropout_draws_by_seed_and_step_and_goes_back_the_same_way() -> Result<(), Error> {
    network! {
        /// A layer between dropped inputs and outputs.
        Dropped<64> { dropout(p = 0.25), fc: linear<64>(bias = false), dropout }
    }
    let mut net = Dropped::new(0);
    let identity: Vec<f32> = (0..64 * 64).map(|i| f32::from(u8::from(i / 64 == i % 64))).collect();
    net.weights_mut().values_mut().copy_from_slice(&identity);
    let ones = Batch::from_nchw(&[1.0; 2 * 64])?;
    let zeros = Batch::from_nchw(&[0.0; 2 * 64])?;
    let loss = MeanSquaredError::new(&zeros);
    let mut run = |seed, step| -> Result<_, Error> {
        let mut training = Training::<Dropped>::resumed(seed, step);
        training.backward(Mode::Training, &mut net, &ones, &loss)?;
        Ok((training.output().clone(), training.gradients().clone()))
    };

    let (output, gradients) = run(5, 9)?;
    let scale = 1.0 / 0.75 * 2.0;
    for sample in output.iter() {
        assert!(sample.values().iter().all(|&value| value == 0.0 || (value - scale).abs() < 1e-6));
        let kept = sample.values().iter().filter(|&&value| value != 0.0).count();
        assert!((12..=36).contains(&kept), "{kept} of 64 are kept where 24 are expected");
    }
    assert_ne!(output.get(0).unwrap().values(), output.get(1).unwrap().values(), "samples draw differently");
    // d(mean of y^2)/dw_ii = sum over samples of 2 y_i (kept_out * 2) (kept_in / 0.75) / 128
    for i in 0..64 {
        let expected: f32 = output.iter().map(|sample| 2.0 * sample.values()[i].powi(2) / 128.0).sum();
        assert!((gradients.values()[i * 64 + i] - expected).abs() < 1e-5);
    }
    assert_eq!(run(5, 9)?.0, output);
    assert_ne!(run(5, 10)?.0, output);
    assert_ne!(run(6, 9)?.0, output);
    assert_eq!(net.forward(&ones), ones, "in evaluation nothing is dropped");
    Ok(())
}

/// The logarithms of probabilities are logits of the same probabilities.
#[test]
fn cross_entropy_takes_a_log_softmax_as_it_takes_logits() -> Result<(), Error> {
    network! {
        /// Ends in logits.
        Plain<6> { fc: linear<5> }

        /// Ends in logarithms of probabilities.
        Logarithms<6> { fc: linear<5>, log_softmax }
    }
    let (mut plain, mut logarithms) = (Plain::new(0), Logarithms::new(0));
    let (input, labels) = (Batch::from_nchw(&common::values(18, 4))?, Labels::new(&[4, 0, 2])?);
    let (mut one, mut other) = (Training::new(0), Training::new(0));
    let expected = one.backward(Mode::Training, &mut plain, &input, &CrossEntropy::new(&labels))?;
    let found = other.backward(Mode::Training, &mut logarithms, &input, &CrossEntropy::new(&labels))?;
    assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    for (found, expected) in other.gradients().values().iter().zip(one.gradients().values()) {
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
    Ok(())
}

#[test]
fn dropout2d_drops_whole_channels_of_each_sample() -> Result<(), Error> {
    network! {
        /// Channels that are dropped after each got a factor.
        Dropped<64, 2, 3> { conv2d<64, 1>(groups = 64, bias = false), dropout2d(p = 0.25) }
    }
    let mut net = Dropped::new(0);
    net.weights_mut().values_mut().fill(1.0);
    let ones = Batch::from_nchw(&[1.0; 2 * 64 * 6])?;
    let zeros = Batch::from_nchw(&[0.0; 2 * 64 * 6])?;
    let mut run = |step| -> Result<_, Error> {
        let mut training = Training::<Dropped>::resumed(5, step);
        training.backward(Mode::Training, &mut net, &ones, &MeanSquaredError::new(&zeros))?;
        Ok((training.output().to_nchw(), training.gradients().values().to_vec()))
    };
    let (output, gradients) = run(9)?;
    let kept: Vec<bool> = output
        .chunks_exact(6)
        .map(|channel| {
            assert!(channel.iter().all(|value| *value == channel[0]), "a channel stays or goes as a whole");
            assert!(channel[0] == 0.0 || (channel[0] - 1.0 / 0.75).abs() < 1e-6);
            channel[0] != 0.0
        })
        .collect();
    let count = kept.iter().filter(|kept| **kept).count();
    assert!((80..=112).contains(&count), "{count} of 128 are kept where 96 are expected");
    assert_ne!(kept[..64], kept[64..], "samples draw differently");
    for (channel, gradient) in gradients.iter().enumerate() {
        let times = f32::from(u8::from(kept[channel])) + f32::from(u8::from(kept[64 + channel]));
        let expected = times * 6.0 * 2.0 / (0.75 * 0.75) / 768.0;
        assert!((gradient - expected).abs() < 1e-6, "{gradient} {expected}");
    }
    assert_eq!(run(9)?.0, output);
    assert_ne!(run(10)?.0, output);
    assert_eq!(net.forward(&ones), ones, "in evaluation nothing is dropped");
    Ok(())
}

network! {
    /// What the activation leaves is not what the pooling looks for.
    pub Adaptive<2, 4, 4> { conv: conv2d<3, 1>, adaptive_max_pool2d<2>, sigmoid, flatten, fc: linear<3> }
}

network! {
    /// The same windows.
    pub Fixed<2, 4, 4> { conv: conv2d<3, 1>, max_pool2d<2>, sigmoid, flatten, fc: linear<3> }
}

/// The activation would work in place, and no cell would have been the largest.
#[test]
fn an_adaptive_max_pooling_keeps_what_it_made() -> Result<(), Error> {
    fn gradients<N: Network<Input = Chw<2, 4, 4>, Output = Flat<3>>>() -> Result<Vec<f32>, Error> {
        let mut net = N::new(1);
        let input = Batch::from_nchw(&(0..64).map(|index| (index * 7 % 13) as f32 / 6.0 - 1.0).collect::<Vec<_>>())?;
        let mut training = Training::new(0);
        training.backward(Mode::Training, &mut net, &input, &CrossEntropy::new(&Labels::<3>::new(&[0, 2])?))?;
        Ok(training.gradients().values().to_vec())
    }
    let gradients = [gradients::<Adaptive>()?, gradients::<Fixed>()?];
    assert_eq!(gradients[0], gradients[1]);
    assert!(gradients[0][..6].iter().any(|gradient| *gradient != 0.0), "the convolution has one");
    Ok(())
}
