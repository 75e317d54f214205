//! Layers of sequences, which are maps of height 1: against the reference in f64, central differences, their own predictors, and
//! the same layers of maps.

mod common;

use cnn_core::prelude::*;

const LENGTH: usize = 17;
const TWO: usize = 2;

network! {
    /// Each of them, read once and several times, with activations and normalizations as part of them.
    pub Layers<3, 17> {
        conv1: conv1d<6, 3>(padding = same, bias = false), bn1: batch_norm1d, relu => <6, 17> as a,
        conv1d<6, 4>(stride = 2, padding = (2, 1), dilation = 2, groups = 2), tanh => <6, 7>,
        up: conv_transpose1d<4, 3>(stride = 2, padding = 1, output_padding = 1), batch_norm1d, relu6 => <4, 14>,
        max_pool1d<3>(stride = 1, padding = 1), linear<5>(over = channels), avg_pool1d<2>(padding = 1) => <5, 8> as b,
        a, adaptive_avg_pool1d<8> as c, a, adaptive_max_pool1d<8>, concat { b, c, [] }, layer_norm(over = channels),
        max_pool1d<2>(ceil_mode = true, dilation = 2), conv1d<channels, width>(groups = channels), flatten, linear<3>,
    }

    /// Sizes that only rustc knows.
    pub Constants<TWO, LENGTH> {
        conv1d<TWO, { TWO + 1 }>(padding = TWO), max_pool1d<TWO>, conv_transpose1d<3, TWO>(stride = TWO), batch_norm1d,
        avg_pool1d<3>(stride = TWO), adaptive_max_pool1d<{ TWO * TWO }> => <3, { 2 * TWO }>, relu, adaptive_avg_pool1d<TWO>,
    }

    /// The same layers of maps as `Twin` has of sequences.
    pub Maps<3, 1, 20> {
        conv: conv2d<8, (1, 5)>(stride = (1, 2), padding = (0, 0, 3, 1)), relu, max_pool2d<(1, 3)>(stride = (1, 1)),
        up: conv_transpose2d<6, (1, 3)>(stride = (1, 2), dilation = (1, 2)), avg_pool2d<(1, 2)>, adaptive_avg_pool2d<(1, 5)>,
    }

    /// The same layers of sequences as `Maps` has of maps.
    pub Twin<3, 20> {
        conv: conv1d<8, 5>(stride = 2, padding = (3, 1)), relu, max_pool1d<3>(stride = 1),
        up: conv_transpose1d<6, 3>(stride = 2, dilation = 2), avg_pool1d<2>, adaptive_avg_pool1d<5>,
    }
}

#[test]
fn of_every_layer() -> Result<(), Error> {
    common::check_both::<Layers>(3, 500)
}

#[test]
fn of_sizes_that_only_rustc_knows() -> Result<(), Error> {
    common::check_both::<Constants>(3, 500)
}

/// The same shapes, steps and bits; only the sizes of weights in files are others.
#[test]
fn a_layer_of_sequences_is_one_of_maps() -> Result<(), Error> {
    let input: Batch<Chw<3, 1, 20>> = Batch::from_nchw(&common::values(2 * 60, 3))?;
    let (maps, twin) = (Maps::new(4), Twin::new(4));
    assert_eq!(maps.weights().values(), twin.weights().values());
    let output: Batch<Chw<6, 1, 5>> = twin.forward(&input);
    assert_eq!(maps.forward(&input), output);
    let sizes = |net: &Twin| -> Vec<_> {
        net.weights().tensors().map(|tensor| (tensor.name, tensor.parameter.sizes().to_vec())).collect()
    };
    let expected =
        [("conv.weight", vec![8, 3, 5]), ("conv.bias", vec![8]), ("up.weight", vec![8, 6, 3]), ("up.bias", vec![6])];
    assert_eq!(sizes(&twin), expected.map(|(name, sizes)| (name.to_owned(), sizes)));
    let values = |tensor: cnn_core::network::Tensor<'_>| tensor.to_pytorch();
    assert!(maps.weights().tensors().map(values).eq(twin.weights().tensors().map(values)));
    Ok(())
}

/// A sequence in PyTorch's order, `[n, c, l]`, and what a difference of neighbours makes of it.
#[test]
fn a_batch_is_in_pytorchs_order() -> Result<(), Error> {
    network! {
        /// The difference of each cell to the one before, and the sum of both channels.
        Differences<2, 4> { conv: conv1d<2, 2>(bias = false) }
    }
    let mut net = Differences::new(0);
    net.weights_mut().values_mut().fill(0.0);
    // [out, in, k] of PyTorch's.
    let weight = [-1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0];
    let mut ours = [0.0; 8];
    net.weights().tensors().next().unwrap().parameter.import(&weight, &mut ours);
    net.weights_mut().values_mut().copy_from_slice(&ours);
    let input = Batch::<Chw<2, 1, 4>>::from_nchw(&[1.0, 3.0, 6.0, 10.0, 100.0, 200.0, 300.0, 400.0])?;
    assert_eq!(net.forward(&input).to_nchw(), [2.0, 3.0, 4.0, 101.0, 203.0, 306.0]);
    Ok(())
}

#[test]
fn the_table_says_lengths() {
    let table = Twin::summary().to_string();
    assert!(table.contains("conv (conv1d)"), "{table}");
    assert!(table.contains("  5, stride 2, padding (3, 1)  "), "{table}");
    assert!(table.contains("  3, stride 2, padding 0, dilation 2  "), "{table}");
}
