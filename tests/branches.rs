//! Networks with branches: output and gradients against the f64 reference, names against torchvision's.

mod common;

use cnn_core::prelude::*;

network! {
    block basic<C> {
        add {
            [
                conv1: conv2d<C, 3>(padding = 1, bias = false), bn1: batch_norm2d, relu,
                conv2: conv2d<C, 3>(padding = 1, bias = false), bn2: batch_norm2d,
            ],
            [],
        },
        relu,
    }

    block down<C, S> {
        add {
            [
                conv1: conv2d<C, 3>(stride = S, padding = 1), bn1: batch_norm2d, relu,
                conv2: conv2d<C, 3>(padding = 1, bias = false), bn2: batch_norm2d,
            ],
            downsample: [conv2d<C, 1>(stride = S, bias = false), batch_norm2d],
        },
        relu,
    }

    /// Residual blocks: an identity, and a projection.
    pub Residual<2, 8, 6> {
        conv1: conv2d<4, 3>(padding = 1, bias = false), bn1: batch_norm2d, relu,
        layer1: [basic<4>, basic<4>],
        layer2: [down<6, 2>, basic<6>] => <6, 4, 3>,
        adaptive_avg_pool2d<1>, flatten, fc: linear<3>,
    }

    /// The input itself is a branch, and read by several.
    pub FromInput<3, 4, 5> {
        add { [], [conv2d<3, 3>(padding = 1)], a: [relu, conv2d<3, 1>], [], },
        conv2d<2, 1>,
    }

    /// Sums that both rectifiers follow, and what works in place behind them.
    pub Capped<3, 4, 5> {
        stem: conv2d<4, 1>, add { [a: conv2d<4, 3>(padding = 1)], [] }, relu6, dropout(p = 0.0),
        add { [b: conv2d<4, 1>(bias = false), batch_norm2d], [c: conv2d<4, 1>], [] }, relu6, tanh,
        add { [d: conv2d<4, 1>], [] }, relu, leaky_relu, flatten, fc: linear<2>,
    }

    /// The sum of a map with itself, of three, and of none beside one.
    pub Sums<4> {
        fc: linear<5>, add { [], [] }, add { [], a: linear<5>, [relu, b: linear<5>] }, add { [] }, c: linear<3>,
        add { [relu], [relu, dropout, relu] },
    }

    block inception<A, B, C, D> {
        concat {
            branch1: [conv2d<A, 1>(bias = false), batch_norm2d, relu],
            branch2: [conv2d<B, 1>, relu, conv2d<{ 2 * B }, 3>(padding = 1), relu],
            branch3: [conv2d<C, 1>, relu, conv2d<C, 5>(padding = 2)],
            branch4: [max_pool2d<3>(stride = 1, padding = 1), conv2d<D, 1>, relu],
        }
    }

    /// Concatenations in a row.
    pub Inception<3, 5, 7> {
        stem: conv2d<4, 3>, relu, a: inception<2, 1, 3, 2>, b: inception<1, 2, 1, 3>, max_pool2d<2>, flatten, fc: linear<4>,
    }

    block dense<K> {
        norm1: batch_norm2d, relu1: relu, conv1: conv2d<{ 2 * K }, 1>(bias = false),
        norm2: batch_norm2d, relu2: relu, conv2: conv2d<K, 3>(padding = 1, bias = false),
    }

    /// Every layer gets the maps of all before it.
    pub Dense<2, 5, 4> {
        conv0: conv2d<4, 3>(padding = 1),
        denseblock1: [
            concat { [], denselayer1: dense<2> },
            concat { [], denselayer2: dense<3> },
            concat { [], denselayer3: dense<2> },
        ] => <11, 5, 4>,
        norm: batch_norm2d, relu, transition: conv2d<3, 1>, avg_pool2d<2>,
        denseblock2: [concat { [], a: dense<2> }, concat { b: dense<2>, [] }],
        flatten, linear<3>,
    }

    /// A branch that reads and writes the same map without anything between.
    pub Grown<2, 4, 4> {
        conv2d<3, 1>, concat { [], [a: conv2d<2, 3>(padding = 1)] }, concat { [b: conv2d<2, 1>], [], [] },
        concat { [], [relu] }, c: conv2d<2, 1>,
    }

    block gate<C, S> {
        multiply { [], [adaptive_avg_pool2d<1>, fc1: conv2d<{ C / S }, 1>, relu, fc2: conv2d<C, 1>] }
    }

    /// Squeeze and excite, a product of like maps, and one of three.
    pub Gated<2, 5, 4> {
        conv1: conv2d<4, 3>(padding = 1), relu, gate<4, 2>, conv2: conv2d<4, 1>,
        multiply { [a: conv2d<4, 3>(padding = 1)], [b: conv2d<4, 1>], [max_pool2d<(5, 4)>] },
        add { [gate<channels, 4>], [] }, flatten, fc: linear<2>,
    }

    block double<C> { conv2d<C, 3>(padding = 1), relu, conv2d<C, 3>(padding = 1), relu }

    /// A U with skips over two levels. Nearest neighbours come later, so the way up is a gate.
    pub U<1, 8, 8> {
        enc1: double<2>,
        concat {
            [],
            [
                max_pool2d<2>, enc2: double<3>,
                concat { [], [max_pool2d<1>, bottom: double<4>] },
                dec2: double<3>, adaptive_avg_pool2d<1>, gate: conv2d<2, 1>, up: Spread,
            ],
        },
        dec1: double<2>, head: conv2d<2, 1>,
    }

    /// One map that three branches read.
    pub Three<2, 4, 4> {
        conv2d<3, 1>,
        add { [a: conv2d<2, 3>], [relu, b: conv2d<2, 3>], [c: conv2d<2, 3>, relu] },
        concat { [max_pool2d<2>], [avg_pool2d<2>], [adaptive_avg_pool2d<1>] }, flatten, softmax, linear<3>,
    }

    /// A network within a network.
    pub Inner<3, 4, 4> { add { [conv: conv2d<3, 3>(padding = 1), relu], [] }, relu, last: conv2d<3, 1> }

    /// It within a branch.
    pub Middle<3, 4, 4> { conv: conv2d<3, 1>, concat { inner: Inner, [], [relu, again: Inner] } }

    /// That within a branch.
    pub Outer<2, 4, 4> {
        stem: conv2d<3, 1>, add { [middle: Middle => <9, 4, 4>, conv2d<3, 1>], [], other: Inner }, relu, flatten, fc: linear<2>,
    }

    block unit<C> { add { [conv1: conv2d<C, 3>(padding = 1), relu6], proj: conv2d<C, 1> }, relu }

    /// A network that joins, to be a step of branches.
    pub Joining<5, 4, 3> { concat { [], conv: conv2d<2, 1> }, relu, last: conv2d<5, 1> }

    /// Joins in joins in joins, with blocks that are used more than once, and branches that begin and end in what works
    /// in place.
    pub Nested<3, 4, 3> {
        stem: conv2d<4, 1>, leaky_relu,
        concat {
            [],
            a: add { [conv2d<4, 3>(padding = 1), relu], [], multiply { [], [adaptive_avg_pool2d<1>, gate: conv2d<4, 1>, hardsigmoid] } },
            b: concat { relu, concat { unit: unit<2>, [] }, multiply { sigmoid, [] } },
        } => <22, 4, 3>,
        hardswish, first: unit<5>, second: unit<5>,
        add {
            [concat { relu, grown: conv2d<3, 1> }, shrunk: conv2d<5, 1>, relu],
            inner: Joining, again: [relu, Joining], [sigmoid, dropout(p = 0.0)], [],
        },
        multiply { [tanh], [concat { [left: conv2d<2, 1>, relu], right: conv2d<3, 1> }], [] },
        concat { tanh, leaky_relu }, flatten, fc: linear<3>,
    }

    /// Branches of features.
    pub Features<6> {
        concat { a: linear<3>, [b: linear<2>, relu], [] }, c: linear<4>, multiply { [d: linear<4>, relu], [] },
        concat { scores: [softmax], rest: linear<3> },
    }
}

/// A map of one cell at every cell of an 8x8 map.
#[derive(Debug)]
pub struct Spread;

impl Layer<Chw<2, 1, 1>> for Spread {
    type Output = Chw<2, 8, 8>;

    fn forward(
        _: &mut cnn_core::layer::Pass<'_>,
        _: cnn_core::layer::Owned<'_>,
        input: cnn_core::tensor::Samples<'_, Chw<2, 1, 1>>,
        mut output: cnn_core::tensor::SamplesMut<'_, Self::Output>,
    ) {
        for (from, to) in input.values().chunks_exact(2).zip(output.values().chunks_exact_mut(128)) {
            to.chunks_exact_mut(2).for_each(|to| to.copy_from_slice(from));
        }
    }

    fn backward(
        _: &mut cnn_core::layer::Pass<'_>,
        _: cnn_core::layer::Owned<'_>,
        _: cnn_core::tensor::Samples<'_, Chw<2, 1, 1>>,
        _: cnn_core::tensor::Samples<'_, Self::Output>,
        mut grad_output: cnn_core::tensor::SamplesMut<'_, Self::Output>,
        grad_input: Option<cnn_core::tensor::SamplesMut<'_, Chw<2, 1, 1>>>,
        _: &mut [f32],
    ) {
        let Some(mut grad_input) = grad_input else { return };
        for (grad, to) in grad_output.values().chunks_exact_mut(128).zip(grad_input.values().chunks_exact_mut(2)) {
            to.fill(0.0);
            grad.chunks_exact(2).for_each(|grad| to.iter_mut().zip(grad).for_each(|(to, grad)| *to += grad));
            // Whoever goes back owns the gradient.
            grad.fill(f32::NAN);
        }
    }
}

#[test]
fn residual_blocks() -> Result<(), Error> {
    common::check_both::<Residual>(3, 400)?;
    common::check_both::<Capped>(3, 300)?;
    common::check::<FromInput>(2, 400)?;
    common::check::<Sums>(3, 400)
}

#[test]
fn concatenations() -> Result<(), Error> {
    common::check_both::<Inception>(2, 300)?;
    common::check_both::<Dense>(2, 400)?;
    common::check::<Grown>(3, 400)
}

#[test]
fn products() -> Result<(), Error> {
    common::check::<Gated>(3, 400)
}

#[test]
fn a_u() -> Result<(), Error> {
    common::check::<U>(2, 400)
}

#[test]
fn one_map_of_three_readers() -> Result<(), Error> {
    common::check::<Three>(3, 400)
}

#[test]
fn networks_in_branches_of_networks_in_branches() -> Result<(), Error> {
    common::check::<Inner>(2, 400)?;
    common::check::<Middle>(2, 400)?;
    common::check::<Outer>(2, 400)
}

#[test]
fn joins_in_joins() -> Result<(), Error> {
    common::check::<Joining>(2, 400)?;
    for samples in [1, 2, 5] {
        common::check_both::<Nested>(samples, 200)?;
    }
    Ok(())
}

/// Output and gradients of a batch on so many threads.
fn bits<N: Network>(samples: usize, threads: usize) -> Result<(Vec<f32>, Vec<f32>), Error> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let mut net = N::new(7);
        let input = Batch::from_nchw(&common::values(samples * <N::Input as cnn_core::shape::Shape>::LEN, 1))?;
        let mut training = Training::new(0);
        let targets = Batch::zeros(samples);
        training.backward(Mode::Training, &mut net, &input, &MeanSquaredError::new(&targets))?;
        Ok((training.output().values().to_vec(), training.gradients().values().to_vec()))
    })
}

#[test]
fn joins_have_the_same_bits_on_any_number_of_threads() -> Result<(), Error> {
    for samples in [1, 9, 64] {
        let (nested, dense) = (bits::<Nested>(samples, 1)?, bits::<Dense>(samples, 1)?);
        for threads in [2, 3, 8] {
            assert!(bits::<Nested>(samples, threads)? == nested, "{samples} samples, {threads} threads");
            assert!(bits::<Dense>(samples, threads)? == dense, "{samples} samples, {threads} threads");
        }
    }
    Ok(())
}

#[test]
fn features() -> Result<(), Error> {
    common::check::<Features>(4, 400)
}

fn names<N: Network>() -> Vec<String> {
    N::new(0).weights().tensors().map(|tensor| tensor.name).collect()
}

#[test]
fn names_are_those_of_a_state_dict() {
    let residual = names::<Residual>();
    let block = ["bn1.num_batches_tracked", "layer1.0.conv1.weight", "layer1.0.bn1.weight", "layer1.0.bn1.bias"];
    assert_eq!(residual[5..9], block);
    let downsample: Vec<_> = residual.iter().filter_map(|name| name.strip_prefix("layer2.0.downsample.")).collect();
    let norm = ["1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked"];
    assert_eq!(downsample, ["0.weight"].iter().chain(&norm).copied().collect::<Vec<_>>());
    assert_eq!(names::<Inception>()[2..4], ["a.branch1.0.weight", "a.branch1.1.weight"]);
    assert_eq!(names::<Dense>()[2], "denseblock1.denselayer1.norm1.weight");
    assert_eq!(names::<Gated>()[2..4], ["2.fc1.weight", "2.fc1.bias"]);
    assert_eq!(names::<Outer>()[2..5], ["middle.conv.weight", "middle.conv.bias", "middle.inner.conv.weight"]);
}
