//! What the branches of newer residual networks are made of: linear layers of each position, factors for each channel, and
//! branches that are dropped; against the reference in f64, central differences, and their own predictors.

mod common;

use cnn_core::prelude::*;

network! {
    /// Linear layers of each position, with activations as part of them, and normalizations that become part of them.
    pub Positions<3, 5, 4> {
        linear<8>(over = channels), relu, batch_norm2d, conv2d<6, 3>(padding = 1),
        add { [fc1: linear<{ 4 * channels }>(over = channels), gelu, linear<6>(over = channels, bias = false), bn: batch_norm2d], [] },
        concat { a: linear<5>(over = channels), b: [linear<3>(over = channels, bias = false), silu] } as both,
        share: linear<8>(over = channels), relu, share<share>, add { both, [] }, flatten, linear<3>(over = all),
    }

    /// Factors of maps and of features: alone, as part of the weights before them, and where maps are parts of wider ones.
    pub Scaled<3, 5, 4> {
        layer_scale(init_value = 0.5), conv2d<6, 3>(padding = 1), behind: layer_scale(init_value = -2), relu,
        gate: layer_scale(init_value = 1), sigmoid,
        add { [conv2d<6, 1>(bias = false), batch_norm2d, layer_scale(init_value = 0.3), drop_path(p = 0)], [] },
        concat { b: [max_pool2d<3>(stride = 1, padding = 1), layer_scale(init_value = 1.5)], c: linear<4>(over = channels) },
        all: layer_scale(init_value = 1), twice: layer_scale(init_value = 0.7), share<twice>, conv2d<3, 1>, tanh,
        flatten, features: layer_scale(init_value = 0.9), linear<4>, layer_scale(init_value = 3),
    }
}

#[test]
fn linear_layers_of_each_position() -> Result<(), Error> {
    common::check_both::<Positions>(3, 500)
}

#[test]
fn factors_of_each_channel() -> Result<(), Error> {
    common::check_both::<Scaled>(3, 1000)
}

#[test]
fn tensors_have_pytorchs_names_and_sizes() {
    let sizes = |tensor: cnn_core::network::Tensor<'_>| (tensor.name, tensor.parameter.sizes().to_vec());
    let net = Positions::new(0);
    let tensors: Vec<_> = net.weights().tensors().map(sizes).collect();
    assert_eq!(tensors[..2], [("0.weight".to_owned(), vec![8, 3]), ("0.bias".to_owned(), vec![8])]);
    assert!(tensors.contains(&("fc1.weight".to_owned(), vec![24, 6])));
    let net = Scaled::new(0);
    let tensors: Vec<_> = net.weights().tensors().map(sizes).collect();
    assert_eq!(tensors[0], ("0".to_owned(), vec![3, 1, 1]));
    assert!(tensors.contains(&("gate".to_owned(), vec![6, 1, 1])));
    assert!(tensors.contains(&("features".to_owned(), vec![60])));
    let values = net.weights().tensors().find(|tensor| tensor.name == "behind").map(|tensor| tensor.to_pytorch());
    assert_eq!(values, Some(vec![-2.0; 6]));
}

/// PyTorch's `Linear` and a convolution of one cell start from the same distribution, and here from the same draws.
#[test]
fn a_linear_layer_of_each_position_is_a_convolution_of_one_cell() -> Result<(), Error> {
    network! {
        /// By its linear name.
        Linear<5, 3, 4> { fc: linear<7>(over = channels) }

        /// As a convolution.
        Convolution<5, 3, 4> { fc: conv2d<7, 1> }
    }
    let input = Batch::from_nchw(&common::values(2 * 60, 3))?;
    let (linear, convolution) = (Linear::new(4), Convolution::new(4));
    assert_eq!(linear.weights().values(), convolution.weights().values());
    assert_eq!(linear.forward(&input), convolution.forward(&input));
    assert_eq!([Linear::PARAMETERS, Linear::MULTIPLY_ADDS], [Convolution::PARAMETERS, Convolution::MULTIPLY_ADDS]);
    Ok(())
}

/// In training a sample's branch is there, scaled, or not at all; and the gradient of what it is made of with it.
#[test]
fn drop_path_drops_whole_samples_of_a_branch() -> Result<(), Error> {
    network! {
        /// A branch with a factor for each channel beside what it gets; more channels than are drawn at a time.
        Dropped<300, 2, 3> { add { [scale: layer_scale(init_value = 2), drop_path(p = 0.25)], [] } }
    }
    const LEN: usize = 300 * 6;
    const SAMPLES: usize = 400;
    let mut net = Dropped::new(0);
    let ones = Batch::from_nchw(&[1.0; SAMPLES * LEN])?;
    let zeros = Batch::zeros(SAMPLES);
    let mut run = |seed, step| -> Result<_, Error> {
        let mut training = Training::<Dropped>::resumed(seed, step);
        training.backward(Mode::Training, &mut net, &ones, &MeanSquaredError::new(&zeros))?;
        let output = training.output().to_nchw();
        let kept = output.chunks_exact(LEN).map(|sample| {
            assert!(sample.iter().all(|value| *value == sample[0]), "a sample stays or goes as a whole");
            assert!(sample[0] == 1.0 || (sample[0] - (1.0 + 2.0 / 0.75)).abs() < 1e-6, "{}", sample[0]);
            sample[0] != 1.0
        });
        Ok((kept.collect::<Vec<_>>(), training.gradients().values().to_vec()))
    };
    let (kept, gradients) = run(5, 9)?;
    let count = kept.iter().filter(|kept| **kept).count();
    assert!((265..=335).contains(&count), "{count} of 400 are kept where 300 are expected");
    // d(mean of y^2)/dw = sum over kept samples and cells of 2 y / 0.75 / (all values)
    let expected = (count * 6) as f64 * 2.0 * (1.0 + 2.0 / 0.75) / 0.75 / (SAMPLES * LEN) as f64;
    assert!(gradients.iter().all(|found| (f64::from(*found) - expected).abs() < 1e-6 * expected));
    assert_eq!(run(5, 9)?.0, kept);
    assert_ne!(run(5, 10)?.0, kept);
    assert_ne!(run(6, 9)?.0, kept);
    let evaluated = net.forward(&ones);
    assert!(evaluated.values().iter().all(|value| *value == 3.0), "in evaluation nothing is dropped");
    Ok(())
}
