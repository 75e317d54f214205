//! The expansion is silent under lints that users turn on; clippy's speak when CI runs clippy.
#![deny(missing_docs, unused, unreachable_pub, missing_debug_implementations, missing_copy_implementations)]
#![deny(clippy::pedantic, clippy::nursery)]
#![forbid(unsafe_code)]

use cnn_core::prelude::*;

const CLASSES: usize = 10;
const EPS: f64 = 1e-3;
const P: f32 = 0.25;

/// Networks in a module, seen from outside of it.
pub mod networks {
    use cnn_core::prelude::network;

    network! {
        /// LeNet-5 for 28 x 28 grey images.
        pub LeNet5<1, 28, 28> {
            conv1: conv2d<6, 5>(padding = 2),
            relu,
            max_pool2d<2>,
            conv2: conv2d<16, 5>,
            relu,
            max_pool2d<2>                                           => <16, 5, 5>,
            flatten                                                 => <400>,
            fc1: linear<120>,
            relu,
            fc2: linear<84>,
            relu,
            fc3: linear<10>,
        }
    }
}

network! {
    /// Every layer and option.
    #[derive(Clone, Debug, PartialEq)]
    pub(crate) Everything<3, 32, 24> {
        stem: conv2d<8, (3, 5)>(stride = (2, 1), padding = (1, 2), dilation = (2, 1), bias = false),
        relu, dropout(p = 0.25),
        avg_pool2d<3>(stride = 1, padding = 1, count_include_pad = false),
        max_pool2d<3>(stride = 2, padding = 1, dilation = 1), relu,
        body: repeat<2> [[conv: conv2d<{ 2 * channels }, 3>(padding = 1), relu]],
        conv2d<channels, 1>=><32, 8, 12>,
        [],
        adaptive_avg_pool2d<(4, 2)>,
        flatten, dropout,
        fc: linear<{ CLASSES }>(bias = false),
        softmax,
    }

    /// Private heads, of which not all are read.
    Detector<4, 6, 6> { concat { boxes: conv2d<8, 1>, scores: [conv2d<{ CLASSES }, 1>, relu], [] } }

    /// Heads that nobody asks for.
    pub Unasked<4> { concat { policy: [linear<2>, softmax], value: linear<1> } }

    block leaning<S> { leaky_relu(negative_slope = S) }

    /// Options that are constants.
    pub Constants<4, 6, 6> {
        batch_norm2d(eps = EPS, momentum = { 1.0 - EPS }), dropout(p = P), leaky_relu(negative_slope = -EPS),
        local_response_norm<3>(alpha = EPS, beta = { 0.5 + EPS }, k = { CLASSES as f64 }),
        upsample(scale_factor = (CLASSES, { 1.0 + P })), dropout2d(p = { P / 2.0 }),
        drop_path(p = P), layer_scale(init_value = EPS), linear<CLASSES>(over = channels),
        avg_pool2d<2>(divisor_override = CLASSES),
        leaning<EPS>, leaning<0.5>, leaning<{ -0.5 }>, leaning<{ 2.0 * EPS }>, leaning<1>,
    }

    /// Expressions of several inputs, shared steps and several outputs.
    pub Graph<image: <2, 4, 4>, grad: <2, 1, 1>, value: <1>> {
        image, tower: [conv2d<2, 1>, map(|x| if x < P && x != 2 { EPS * exp(x) } else { pow(x, EPS) })] as a,
        image, share<tower> as b, map(|x, a, grad, value| x * a + { 2.0 * P } * grad - value / CLASSES + erf(x)) as c,
        outputs { value: [c, flatten, linear<2>], grad: b, output: map(|v0| -v0) },
    }

    Features<100> { relu, linear<{ 100 >> 1 }>, dropout(p = 1), relu }

    pub Picture<2, 4, 4> { relu, flatten, }
}

#[test]
fn every_layer_under_strict_lints() {
    let _: Batch<Probabilities<Flat<10>>> = Everything::new(0).forward(&Batch::zeros(2));
    let _: Batch<Chw<4, 30, 3>> = Constants::new(0).forward(&Batch::zeros(2));
    let inputs = Graph::inputs(&Batch::zeros(2), &Batch::zeros(2), &Batch::zeros(2)).expect("equally many");
    let output = Graph::new(0).forward(&inputs);
    assert_eq!(Graph::outputs(output.samples()).value.len(), 2);
    let _: Batch<Flat<50>> = Features::new(0).forward(&Batch::zeros(2));
    let output = Detector::new(0).forward(&Batch::zeros(2));
    assert_eq!(Detector::heads(output.samples()).scores.channels(), 8..18);
    let _: Batch<Flat<3>> = Unasked::new(0).forward(&Batch::zeros(2));
    let _: Batch<Flat<32>> = Picture::new(0).forward(&Batch::zeros(2));
    let _: Batch<Flat<10>> = networks::LeNet5::new(0).forward(&Batch::zeros(2));
    assert_eq!(networks::LeNet5::PARAMETERS, 61_706);
    assert!(Everything::new(1) == Everything::new(1));
    let names: Vec<_> = Everything::STEPS.iter().map(|step| step.path).collect();
    assert_eq!(
        names,
        [
            "stem",
            "1",
            "2",
            "3",
            "4",
            "5",
            "body.0.conv",
            "body.0.1",
            "body.1.conv",
            "body.1.1",
            "7",
            "9",
            "10",
            "11",
            "fc",
            "13",
        ]
    );
}
