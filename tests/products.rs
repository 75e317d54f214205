//! Products of maps, and what makes matrices of maps: against PyTorch's definitions in f64, central differences, and their own
//! predictors.

mod common;

use cnn_core::prelude::*;

network! {
    /// A non-local block: each cell meets every cell.
    pub NonLocal<3, 4, 5> {
        conv2d<6, 3>(padding = 1), tanh as x,
        add {
            [
                conv2d<4, 1>, reshape<1, 4, 20> as theta,
                x, conv2d<4, 1>, reshape<1, 4, 20> as phi,
                x, conv2d<4, 1>, reshape<1, 4, 20> as g,
                matmul { [theta, transpose], phi }  => <1, 20, 20>,
                softmax(over = width) as attention,
                matmul { g, [attention, transpose] } => <1, 4, 20>,
                reshape<4, 4, 5>, conv2d<6, 1>,
            ],
            [],
        },
        adaptive_avg_pool2d<1>, flatten, linear<3>,
    }

    /// Three heads of an attention, as `torch.nn.MultiheadAttention` has them.
    pub Heads<12, 1, 7> {
        layer_norm(over = channels) as tokens,
        linear<12>(over = channels), reshape<3, 4, 7> as q,
        tokens, linear<12>(over = channels), reshape<3, 4, 7> as k,
        tokens, linear<12>(over = channels), reshape<3, 4, 7> as v,
        matmul { [q, transpose], k } => <3, 7, 7>, map(|x| x / 2), softmax(over = width) as weights,
        matmul { v, [weights, transpose] }  => <3, 4, 7>, reshape<12, 1, 7>, linear<12>(over = channels),
        add { [], tokens },
    }

    /// All ways in which factors can lie, one map as both, and a product of a product.
    pub Ways<2, 6, 5> {
        tanh as a,
        matmul { a, [a, transpose] } as gram,
        a, conv2d<2, 3>(padding = 1), transpose as b,
        matmul { [b, transpose], [gram, conv2d<2, (3, 2)>, transpose] } => <2, 6, 4> as c,
        matmul { [c, transpose], [b, sigmoid, transpose] } => <2, 4, 5>,
        log_softmax(over = width), matmul { [transpose], [] }, map(|x| tanh(x / 50)) as d,
        concat { [matmul { d, d }, transpose], d, [d, transpose] }, mean(over = channels), flatten,
    }

    /// Orders and shapes that one loop walks, and some that none does.
    pub Orders<4, 6, 5> {
        permute<0, 2, 3, 1> => <6, 5, 4>, tanh, permute<0, 3, 1, 2>, map(|x| 2 * x), permute<0, 1, 3, 2> as a,
        reshape<10, 3, 4> => <10, 3, 4>, sigmoid, reshape<8, 5, 3>, conv2d<7, 1>, reshape<3, 5, 7> => <3, 5, 7>, tanh,
        reshape<105, 1, 1>, conv2d<12, 1>, flatten, reshape<3, 2, 2>, reshape<2, 3, 2> as b, a, reshape<1, 1, 120>,
        softmax(over = width), flatten, linear<4>, concat { [], [b, flatten] },
    }

    /// Softmax of rows of some channels and of many.
    pub Rows<3, 2, 9> {
        conv2d<20, 1>, softmax(over = width), conv2d<3, 1>, log_softmax(over = width) as x, conv2d<1, 1>, softmax(over = width),
        map(|y, x| y * x), flatten,
    }
}

network! {
    /// A prelayer-norm block of an attention over patches, with places that are learned.
    block attend<C, HEADS, TOKENS> {
        add {
            [], [
                norm1: layer_norm(over = channels) as x,
                q: linear<C>(over = channels), reshape<HEADS, { C / HEADS }, TOKENS>, transpose as q,
                x, k: linear<C>(over = channels), reshape<HEADS, { C / HEADS }, TOKENS> as k,
                x, v: linear<C>(over = channels), reshape<HEADS, { C / HEADS }, TOKENS> as v,
                matmul { q, k }, map(|s| s / 2), softmax(over = width), transpose as weights,
                matmul { v, weights }, reshape<C, 1, TOKENS>, out: linear<C>(over = channels),
            ],
        },
        add { [], [norm2: layer_norm(over = channels), up: linear<{ 2 * C }>(over = channels), gelu, down: linear<C>(over = channels)] },
    }

    /// A small vision transformer.
    pub Transformer<3, 8, 6> {
        patches: conv2d<8, 2>(stride = 2), reshape<8, 1, 12> as tokens,
        place: parameter<8, 1, 12> as place, tokens, map(|x, place| x + place),
        a: attend<8, 2, 12>, b: attend<8, 4, 12>, norm: layer_norm(over = channels),
        mean(over = space), flatten, head: linear<3>,
    }

    /// One that is learned and looks at nothing, for two readers, and one of many values.
    pub Learned<2, 3, 2> {
        a: parameter<2, 1, 1>(init_value = 0.5) as a, tanh as b, conv2d<2, 1>, sigmoid as c,
        big: parameter<2, 30, 30>, adaptive_avg_pool2d<1> as d, c, map(|c, a, b, d| a + b * c * d), flatten,
    }
}

network! {
    /// A product of what the network gets with its own transpose, and of that with another reader.
    pub Direct<2, 3, 4> { add { [matmul { [transpose], [] }, flatten, linear<3>], [bias: parameter<1, 1, 1>, flatten, linear<3>] } }
}

/// The gradient by the input of both factors, which are it.
#[test]
fn gradients_by_the_input() -> Result<(), Error> {
    common::check_both::<Direct>(2, 1000)?;
    let mut net = Direct::new(1);
    let values = common::values(2 * 24, 3);
    let (input, targets) = (Batch::from_nchw(&values)?, Batch::zeros(2));
    let (mut training, mut gradient) = (Training::new(0), Batch::zeros(0));
    let loss = MeanSquaredError::new(&targets);
    training.backward_to(Mode::Training, &mut net, &input, &loss, &mut gradient)?;
    let parameters: Vec<f64> = net.weights().values().iter().copied().map(f64::from).collect();
    let values: Vec<f64> = values.into_iter().map(f64::from).collect();
    let loss = |input: &[f64]| {
        let output = common::evaluate::<Direct>(&parameters, input);
        output.iter().map(|value| value * value).sum::<f64>() / output.len() as f64
    };
    let expected = cnn_core::reference::central_differences(loss, &values, 1e-6);
    for (found, expected) in gradient.to_nchw().iter().zip(&expected) {
        assert!((f64::from(*found) - expected).abs() < 1e-5, "{found} {expected}");
    }
    Ok(())
}

#[test]
fn a_transformer() -> Result<(), Error> {
    common::check_both::<Transformer>(3, 1000)?;
    let names: Vec<_> = Transformer::new(0).weights().tensors().map(|tensor| tensor.name).collect();
    assert_eq!(names[..4], ["patches.weight", "patches.bias", "place", "a.norm1.weight"]);
    Ok(())
}

#[test]
fn what_is_learned_is_the_same_for_all() -> Result<(), Error> {
    common::check_both::<Learned>(3, 1000)
}

#[test]
fn a_non_local_block() -> Result<(), Error> {
    common::check_both::<NonLocal>(3, 1000)
}

#[test]
fn heads_of_an_attention() -> Result<(), Error> {
    common::check_both::<Heads>(2, 1000)
}

#[test]
fn factors_lie_as_they_lie() -> Result<(), Error> {
    common::check_both::<Ways>(3, 1000)
}

#[test]
fn orders_and_shapes() -> Result<(), Error> {
    common::check_both::<Orders>(3, 1000)
}

#[test]
fn softmax_of_rows() -> Result<(), Error> {
    common::check_both::<Rows>(3, 1000)
}

/// What only a product reads is not transposed in memory.
#[test]
fn multiply_adds_and_memory_are_constants() {
    const _: () = assert!(Ways::MULTIPLY_ADDS > 2 * 6 * 5 * 6 && Ways::PARAMETERS == 2 * 2 * 9 + 2 + 2 * 2 * 6 + 2);
    let products = NonLocal::STEPS.iter().filter(|step| step.layer == "matmul");
    assert_eq!(products.map(|step| step.operation.multiply_adds()).collect::<Vec<_>>(), [20 * 4 * 20, 4 * 20 * 20]);
}

const ROWS: usize = 3;

network! {
    /// Sizes that only rustc knows.
    pub Unknown<2, ROWS, { ROWS }> { tanh, matmul { [], conv2d<2, 3>(padding = 1) }, tanh, flatten, linear<2> }
}

#[test]
fn sizes_that_only_rustc_knows() -> Result<(), Error> {
    common::check_both::<Unknown>(2, 10)
}
