//! A frozen network predicts what the network makes, with the same bits alone and in any batch, wherever it is called.

#[path = "../examples/networks/mod.rs"]
pub mod networks;

mod common;

use clap::ValueEnum;
use cnn_core::layer::{Initial, Owned, Parameter, Pass};
use cnn_core::network::{MadeFor, Predictor};
use cnn_core::prelude::*;
use cnn_core::shape::Shape;
use cnn_core::tensor::{Sample, Samples, SamplesMut};
use networks::{Name, Truth, Visitor};

const BOTH: [MadeFor; 2] = [MadeFor::OneSample, MadeFor::Batches];

/// A network whose weights are all moved, with running statistics as of maps that are not normal yet.
fn moved<N: Network>() -> N {
    let mut net = N::new(7);
    let weights = net.weights_mut();
    let moves = common::values(weights.values().len(), 3);
    weights.values_mut().iter_mut().zip(&moves).for_each(|(value, moves)| *value *= 1.0 + 0.3 * moves);
    // Means and variances are both between 0.7 and 1.3; variances start as 1, means as 0.
    let moves = common::values(weights.state().len(), 4);
    weights.state_mut().iter_mut().zip(&moves).for_each(|(value, moves)| *value += 0.3 * moves);
    net
}

fn input<S: Shape>(samples: usize) -> Batch<S> {
    let mut batch = Batch::zeros(samples);
    batch.values_mut().copy_from_slice(&common::values(samples * S::LEN, 5));
    batch
}

fn tensor<S: Shape>(sample: Sample<'_, S>) -> Tensor<S> {
    let mut tensor = Tensor::zeros();
    tensor.values_mut().copy_from_slice(sample.values());
    tensor
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn batch_of<N: Network>(predictor: &mut Predictor<N>, input: &Batch<N::Input>) -> Vec<u32> {
    let mut output = Batch::zeros(0);
    predictor.predict_batch(input, &mut output);
    assert_eq!(output.len(), input.len());
    bits(output.values())
}

/// Holds that predictors are within 1e-5 of the network, of its largest output.
fn check<N: Network>(net: &N, input: &Batch<N::Input>) {
    let expected = net.forward(input);
    let largest = expected.values().iter().fold(0.0, |largest: f32, value| largest.max(value.abs()));
    assert!(largest > 0.0 && largest.is_finite(), "{}: there is something to compare", N::NAME);
    for made_for in BOTH {
        let mut predictor = net.freeze_for(made_for);
        for (sample, expected) in input.iter().zip(expected.iter()) {
            let found = predictor.predict(&tensor(sample));
            for (found, expected) in found.values().iter().zip(expected.values()) {
                let distance = (found - expected).abs() / largest;
                assert!(distance <= 1e-5, "{} {made_for:?}: {found}, not {expected}: {distance}", N::NAME);
            }
        }
    }
}

struct Gallery;

impl Visitor for Gallery {
    type Output = ();

    fn visit<N: Network, T: Truth<N::Output>>(self) {
        // The layers of larger ones are those of the others, and making so many weights takes minutes.
        if N::PARAMETERS < 50_000_000 {
            check(&moved::<N>(), &input(1));
        }
    }
}

#[test]
fn every_network_of_the_gallery_predicts_what_it_makes() {
    Name::value_variants().iter().for_each(|name| name.visit(Gallery));
}

network! {
    block cell<C> { conv2d<C, 3>(padding = 1, bias = false), batch_norm2d, relu }

    /// Layers of all kinds, among them normalizations that are part of others.
    pub Mixed<3, 13, 11> {
        one: cell<6>, two: cell<40>, conv2d<channels, 3>(padding = 1, groups = channels), batch_norm2d, hardswish,
        add { a: [cell<40>, c: conv2d<40, 1>, dropout2d, batch_norm2d], [] }, relu,
        add { b: [conv2d<24, 1>, batch_norm2d], c: [conv2d<24, 3>(padding = 1), batch_norm2d(affine = false)] }, relu,
        conv2d<24, 3>(padding = 1, groups = 4), batch_norm2d, relu6,
        conv_transpose2d<10, 3>(stride = 2), batch_norm2d, silu, max_pool2d<3>(stride = 2),
        concat { d: cell<5>, e: [conv2d<7, 1>, batch_norm2d], [], [max_pool2d<3>(stride = 1, padding = 1)] },
        batch_norm2d, prelu(num_parameters = channels), local_response_norm<3>,
        adaptive_avg_pool2d<3>, flatten, dropout, linear<20>, gelu, linear<10>, log_softmax,
    }

    /// Normalizations behind branches: of a concatenation, of a sum, of both; and in front of all.
    pub Behind<4, 6, 5> {
        batch_norm2d, relu,
        concat { a: conv2d<3, 1>, b: [conv2d<5, 3>(padding = 1), batch_norm2d, dropout2d] }, batch_norm2d, relu,
        add { c: conv2d<6, 1>, d: conv2d<6, 1>(bias = false), e: [relu, conv2d<6, 3>(padding = 1)] }, batch_norm2d, relu,
        concat { f: conv_transpose2d<4, 3>(padding = 1, groups = 2), g: add { h: conv2d<2, 1>, i: conv2d<2, 1> } },
        dropout2d, batch_norm2d, batch_norm2d, sigmoid,
        // Of these one has no weights, and of those one is read by others.
        concat { j: conv2d<3, 1>, [max_pool2d<1>] }, batch_norm2d, relu,
        add { k: conv2d<9, 1>, [] }, batch_norm2d, relu, conv2d<4, 1>,
        concat { l: batch_norm2d, [relu] }, add { [], [] }, batch_norm2d,
    }

    /// Statistics of the batch.
    pub OfTheBatch<2, 5, 5> { conv2d<4, 3>, batch_norm2d(track_running_stats = false), relu, flatten, linear<3> }

    /// Nothing to prepare.
    pub Plain<2, 4, 4> { max_pool2d<2>, relu, flatten }

    /// Nothing at all.
    pub Nothing<3> { dropout }

    /// A layer of the user's and networks, in a network.
    pub Nested<3, 6, 6> {
        stem: conv2d<4, 1>, batch_norm2d, relu, concat { [own: Counted => <4, 6, 6>], [inner: Inner], [relu] }, batch_norm2d,
        last: Counted => <12, 6, 6>, conv2d<2, 1>,
    }

    /// It has a user's layer too.
    pub Inner<4, 6, 6> { conv2d<4, 3>(padding = 1), batch_norm2d, own: Counted => <4, 6, 6> }
}

/// Adds a trained number, a number of the state, and a count, and destroys the last two.
#[derive(Debug)]
pub struct Counted;

impl<const C: usize, const H: usize, const W: usize> Layer<Chw<C, H, W>> for Counted {
    type Output = Chw<C, H, W>;
    const WEIGHTS: &'static [Parameter] = &[Parameter::vector("weight", 1, Initial::Constant(0.5))];
    const STATE: &'static [Parameter] =
        &[Parameter::vector("kept", 1, Initial::Constant(0.25)), Parameter::count("times")];
    const SAVED: usize = 1;
    const WORKSPACE: usize = 2;

    fn forward(
        _: &mut Pass<'_>,
        owned: Owned<'_>,
        input: Samples<'_, Chw<C, H, W>>,
        mut output: SamplesMut<'_, Self::Output>,
    ) {
        assert_eq!([owned.saved.len(), owned.workspace.len()], [1, 2 * input.len()]);
        let plus = owned.parameters[0] + owned.state[0] + owned.counts[0] as f32;
        (owned.state[0], owned.counts[0]) = (f32::NAN, 1 << 40);
        owned.saved[0] = plus;
        owned.workspace.fill(plus);
        output.values().iter_mut().zip(input.values()).for_each(|(to, from)| *to = from + plus);
    }

    fn backward(
        _: &mut Pass<'_>,
        _: Owned<'_>,
        _: Samples<'_, Chw<C, H, W>>,
        _: Samples<'_, Self::Output>,
        _: SamplesMut<'_, Self::Output>,
        _: Option<SamplesMut<'_, Chw<C, H, W>>>,
        _: &mut [f32],
    ) {
    }
}

#[test]
fn normalizations_become_part_of_what_is_before_them() {
    check(&moved::<Mixed>(), &input(3));
    check(&moved::<Behind>(), &input(3));
}

#[test]
fn networks_and_layers_of_the_users_predict_as_steps_of_others() {
    let mut net = moved::<Nested>();
    net.weights_mut().counts_mut().iter_mut().zip(2..).for_each(|(count, number)| *count = number);
    let input = input(2);
    let (expected, mut predictor) = (net.forward(&input), net.freeze());
    // Again: what the layer destroyed was its own.
    for _ in 0..2 {
        for (sample, expected) in input.iter().zip(expected.iter()) {
            let found = predictor.predict(&tensor(sample));
            for (found, expected) in found.values().iter().zip(expected.values()) {
                assert!((found - expected).abs() <= 1e-5 * (1.0 + expected.abs()), "{found} {expected}");
            }
        }
    }
}

#[test]
fn networks_that_have_nothing_to_prepare_predict() {
    check(&Plain::new(0), &input(2));
    check(&Nothing::new(0), &input(2));
    // A whole batch, whose statistics these are.
    let (net, input) = (moved::<OfTheBatch>(), input(4));
    let (expected, mut found) = (net.forward(&input), Batch::zeros(0));
    net.freeze().predict_batch(&input, &mut found);
    for (found, expected) in found.values().iter().zip(expected.values()) {
        assert!((found - expected).abs() <= 1e-5, "{found} {expected}");
    }
}

network! {
    /// Maps of which a cache holds those of a few samples: a batch goes through the steps in parts.
    pub Large<1, 128, 128> {
        conv2d<16, 3>(padding = 1), relu, max_pool2d<4>, conv2d<4, 3>, batch_norm2d, relu, adaptive_avg_pool2d<1>, flatten,
        fc: linear<3>,
    }
}

/// Together on 1, 2, 3 and 8 threads, in a pool and outside, and one by one.
fn same_bits<N: Network>() {
    let (net, input) = (moved::<N>(), input(33));
    for made_for in BOTH {
        let mut predictor = net.freeze_for(made_for);
        let together = batch_of(&mut predictor, &input);
        let alone: Vec<_> = input.iter().flat_map(|sample| bits(predictor.predict(&tensor(sample)).values())).collect();
        assert!(together == alone, "{}: other bits alone than in a batch", N::NAME);
        for threads in [1, 2, 3, 8] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            // One that was made outside, and one that was made there.
            let found =
                pool.install(|| [batch_of(&mut predictor, &input), batch_of(&mut net.freeze_for(made_for), &input)]);
            assert!(found.iter().all(|found| *found == together), "{}: other bits on {threads} threads", N::NAME);
        }
    }
}

#[test]
fn a_sample_has_the_same_bits_alone_and_in_a_batch_on_any_number_of_threads() {
    same_bits::<Mixed>();
    same_bits::<Behind>();
    same_bits::<networks::LeNet5>();
    same_bits::<Large>();
    same_bits::<networks::VggCifar>();
}

#[test]
fn clones_predict_at_the_same_time() {
    let (predictor, input) = (moved::<Mixed>().freeze(), input(8));
    let expected = batch_of(&mut predictor.clone(), &input);
    std::thread::scope(|scope| {
        let predicts = |mut predictor: Predictor<Mixed>| {
            let input = &input;
            scope.spawn(move || (0..20).map(|_| batch_of(&mut predictor, input)).collect::<Vec<_>>())
        };
        let threads = [0; 4].map(|_| predicts(predictor.clone()));
        for thread in threads {
            assert!(thread.join().unwrap().iter().all(|found| *found == expected));
        }
    });
}

#[test]
fn a_predictor_keeps_the_weights_that_it_was_made_of() {
    let (mut net, input) = (moved::<Mixed>(), input(2));
    let mut predictor = net.freeze();
    let before = batch_of(&mut predictor, &input);
    net.weights_mut().values_mut().fill(0.0);
    assert!(batch_of(&mut predictor, &input) == before && batch_of(&mut net.freeze(), &input) != before);
}

#[test]
fn a_predictor_is_told_to_other_threads_and_shows_itself() {
    fn is_sent<T: Send + Sync + Clone + 'static>(_: &T) {}
    let predictor = Plain::new(0).freeze();
    is_sent(&predictor);
    assert_eq!(format!("{predictor:?}"), "Predictor<Plain>(0 values)");
}

#[test]
fn no_samples_make_none() {
    let (mut predictor, mut output) = (moved::<Mixed>().freeze(), Batch::zeros(3));
    predictor.predict_batch(&Batch::zeros(0), &mut output);
    assert_eq!(output.len(), 0);
}

/// Weights of each kind are infinite in turn: what is NaN or infinite in the network is so in the predictor.
#[test]
fn infinities_come_out_as_in_the_network() {
    network! {
        block cell<C> { conv2d<C, 3>(padding = 1), batch_norm2d }

        /// As many layers as there are algorithms, without rectifiers, which hide infinities.
        pub Infinite<3, 8, 8> {
            one: cell<6>, two: cell<20>, conv2d<channels, 3>(groups = channels, padding = 1), batch_norm2d,
            conv_transpose2d<4, 3>(stride = 2), batch_norm2d, three: cell<2>, flatten, linear<3>,
        }
    }
    let (net, input) = (moved::<Infinite>(), input::<Chw<3, 8, 8>>(2));
    let parameters = net.weights().values().len();
    let mut not_finite = 0;
    for place in (0..parameters).step_by(parameters / 40) {
        let mut net = Infinite::from_weights(net.weights().clone());
        net.weights_mut().values_mut()[place] = f32::INFINITY;
        let (expected, mut found) = (net.forward(&input), Batch::zeros(0));
        net.freeze().predict_batch(&input, &mut found);
        for (found, expected) in found.values().iter().zip(expected.values()) {
            not_finite += usize::from(!expected.is_finite());
            assert_eq!(found.is_finite(), expected.is_finite(), "{place}: {found}, not {expected}");
        }
    }
    assert!(not_finite > 0);
}

#[test]
fn heads_have_names() {
    network! {
        /// Two heads.
        pub Heads<2, 4, 4> { conv2d<4, 3>, concat { boxes: conv2d<4, 1>, scores: [conv2d<2, 1>, sigmoid] } }
    }
    let net = moved::<Heads>();
    let input = input(1);
    let (output, mut predictor) = (net.forward(&input), net.freeze());
    let expected = Heads::heads(output.samples()).scores.to_batch();
    let sample = tensor(input.get(0).unwrap());
    let found = Heads::heads(predictor.predict(&sample).alone()).scores.to_batch();
    for (found, expected) in found.values().iter().zip(expected.values()) {
        assert!((found - expected).abs() < 1e-6);
    }
}
