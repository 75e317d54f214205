//! What stands around maps: against the reference in f64, central differences, and their own predictors.

mod common;

use cnn_core::prelude::*;

const ONE: usize = 1;
const HALF: f64 = 0.5;

network! {
    /// Each of them on each side, alone and where maps are parts of wider ones.
    pub Padded<3, 4, 5> {
        conv2d<4, 3>(padding = 1), relu, reflection_pad2d<(1, 3, 2, 4)> => <4, 8, 11>, conv2d<3, 3>(stride = 2), tanh,
        circular_pad2d<(3, 1, 5, 2)> => <3, 7, 12>, conv2d<4, (3, 4)>(stride = 2), relu => <4, 3, 5>,
        replication_pad2d<(0, 7, 6, 1)> => <4, 10, 12>, avg_pool2d<2>, constant_pad2d<1>(value = -0.5) => <4, 7, 8>,
        conv2d<3, 3>(padding = (1, 0)), constant_pad2d(left = 1, bottom = 2, value = 1.5),
        adaptive_avg_pool2d<3>, concat {
            b: [reflection_pad2d(top = 2), conv2d<2, (3, 1)>], c: [circular_pad2d(left = 1, right = 3), conv2d<3, (1, 5)>],
            d: [replication_pad2d<2>, max_pool2d<2>],
        },
        e: conv2d<4, 1>, flatten, linear<3>,
    }

    /// Convolutions with what stands around their maps; a step twice, a normalization behind one, and a sequence.
    pub Convolutions<3, 5, 6> {
        conv1: conv2d<4, 3>(padding = 1, padding_mode = reflect), batch_norm2d, relu => <4, 5, 6>,
        add { [conv2d<4, (2, 4)>(padding = same, padding_mode = circular), silu], [] } as a,
        again: conv2d<4, 3>(padding = (2, 1, 1, 2), padding_mode = replicate, stride = 2, groups = 2, bias = false), tanh,
        upsample(size = (5, 6)), share<again>, flatten, linear<20>, unflatten<4, 1, 5>,
        conv1d<3, 4>(padding = (4, 2), dilation = 2, padding_mode = reflect) => <3, 5>, relu,
        conv1d<3, 3>(padding = same, padding_mode = circular), adaptive_avg_pool2d<1>, flatten,
        concat { [], [a, adaptive_avg_pool2d<1>, flatten] },
    }

    /// Sizes and numbers that only rustc knows.
    pub Constants<2, { 3 * ONE }, 4> {
        reflection_pad2d<{ 2 * ONE }>, conv2d<3, 3>(padding = ONE, padding_mode = circular), circular_pad2d(left = ONE),
        replication_pad2d<(ONE, 0, 0, ONE)>, constant_pad2d<ONE>(value = HALF), conv2d<2, 3>(stride = 2),
    }
}

#[test]
fn of_every_kind() -> Result<(), Error> {
    common::check_both::<Padded>(2, 500)
}

#[test]
fn of_convolutions() -> Result<(), Error> {
    common::check_both::<Convolutions>(2, 500)
}

#[test]
fn of_sizes_that_only_rustc_knows() -> Result<(), Error> {
    common::check_both::<Constants>(2, 500)
}

/// Two steps, and the names and the weights of one.
#[test]
fn a_convolution_that_pads_is_a_padding_and_a_convolution() -> Result<(), Error> {
    network! {
        /// In one.
        One<2, 5, 4> { conv: conv2d<3, 3>(padding = (1, 2, 0, 3), padding_mode = reflect) }

        /// In two.
        Two<2, 5, 4> { [reflection_pad2d<(1, 2, 0, 3)>], conv: conv2d<3, 3> }

        /// Where nothing is padded there is one.
        None<2, 5, 4> { conv: conv2d<3, 3>(padding_mode = reflect) }
    }
    let input = Batch::from_nchw(&common::values(80, 3))?;
    assert_eq!(One::new(1).forward(&input), Two::new(1).forward(&input));
    let layers: Vec<_> = One::STEPS.iter().map(|step| (step.path, step.layer)).collect();
    assert_eq!(layers, [("conv", "reflection_pad2d"), ("conv", "conv2d")]);
    let names: Vec<_> = One::new(0).weights().tensors().map(|tensor| tensor.name).collect();
    assert_eq!(names, ["conv.weight", "conv.bias"]);
    assert_eq!([One::MULTIPLY_ADDS, None::STEPS.len()], [Two::MULTIPLY_ADDS, 1]);
    Ok(())
}
