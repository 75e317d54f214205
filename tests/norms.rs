//! Networks with normalizations of each sample by itself, and over a batch of features, against the reference in f64.

mod common;

use cnn_core::prelude::*;
use common::check_both;

network! {
    /// Each of them over all values, or over channels, with weights and without.
    Layers<3, 6, 5> {
        conv2d<8, 3>(padding = 1), all: layer_norm, relu,
        add { [channels: layer_norm(over = channels), silu, conv2d<8, 1>], [layer_norm(bias = false, eps = 0.01)] },
        layer_norm(elementwise_affine = false), layer_norm(over = channels, elementwise_affine = false),
        flatten, features: layer_norm, linear<4>, layer_norm(over = channels),
    }

    /// Without a mean.
    RootMeanSquares<3, 6, 5> {
        conv2d<8, 3>(padding = 1), all: rms_norm, tanh, channels: rms_norm(over = channels),
        conv2d<6, 3>, rms_norm(elementwise_affine = false), flatten, features: rms_norm(eps = 0.001), linear<4>, rms_norm,
    }

    /// Of groups of channels, of each channel, and of features.
    Groups<3, 6, 5> {
        conv2d<8, 3>(padding = 1), group_norm<4>, relu,
        concat { [conv2d<6, 1>, group_norm<3>(affine = false)], [instance_norm2d], [instance_norm2d(affine = true), gelu] },
        group_norm<1>, conv2d<6, 3>(groups = 2), instance_norm2d(eps = 0.1), group_norm<{ channels / 3 }>,
        flatten, linear<12>, group_norm<3>, relu, linear<4>,
    }

    /// Over the batch, behind a linear layer and apart from one.
    Features<2, 4, 4> {
        conv2d<3, 3>, flatten, apart: batch_norm1d, relu, linear<8>, folded: batch_norm1d, relu, linear<6>,
        add { [batch_norm1d(affine = false), linear<6>], [] }, batch_norm1d(momentum = none), tanh,
        batch_norm1d(track_running_stats = false), linear<3>,
    }

    /// Two uses of one weight, and maps that are parts of a wide one.
    Shared<4, 3, 3> {
        concat { a: [conv2d<5, 1>, norm: group_norm<5>], b: conv2d<3, 1> } as both,
        layer_norm(over = channels), c: conv2d<8, 1>, own: layer_norm, share<c>, share<own>, add { both, [] }, rms_norm,
    }
}

#[test]
fn over_a_sample() -> Result<(), Error> {
    check_both::<Layers>(3, 300)
}

#[test]
fn by_the_root_of_the_mean_square() -> Result<(), Error> {
    check_both::<RootMeanSquares>(3, 300)
}

#[test]
fn over_groups() -> Result<(), Error> {
    check_both::<Groups>(3, 300)
}

#[test]
fn over_a_batch_of_features() -> Result<(), Error> {
    check_both::<Features>(5, 300)
}

#[test]
fn with_shared_weights_and_in_parts_of_maps() -> Result<(), Error> {
    check_both::<Shared>(2, 300)
}

#[test]
fn tensors_have_pytorchs_names_and_sizes() {
    let net = Layers::new(0);
    let sizes = |name: &str| {
        net.weights().tensors().find(|tensor| tensor.name == name).map(|tensor| tensor.parameter.sizes().to_vec())
    };
    assert_eq!(sizes("all.weight"), Some(vec![8, 6, 5]));
    assert_eq!(sizes("channels.bias"), Some(vec![8]));
    assert_eq!(sizes("features.weight"), Some(vec![240]));
    let names: Vec<_> = Features::new(0).weights().tensors().map(|tensor| tensor.name).collect();
    assert!(
        names.contains(&"folded.running_mean".to_owned()) && names.contains(&"folded.num_batches_tracked".to_owned())
    );
}

#[test]
fn one_value_for_each_feature_has_no_variance() {
    let (mut net, input) = (Features::new(0), Batch::zeros(1));
    let targets = Batch::zeros(1);
    let loss = MeanSquaredError::new(&targets);
    let error = Training::new(0).backward(Mode::Training, &mut net, &input, &loss).unwrap_err();
    let text = "apart: batch_norm1d has no variance to train with: one 12 sample has one value for each feature; take at \
                least two samples";
    assert_eq!(error.to_string(), text);
}
