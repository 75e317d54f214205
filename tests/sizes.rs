//! One set of weights for several sizes.

mod common;

use cnn_core::network::Resize;
use cnn_core::prelude::*;
use cnn_core::shape::Shape;

network! {
    block cell<C> { conv: conv2d<C, 3>(padding = 1, bias = false), norm: batch_norm2d, relu }

    /// MTCNN's first network, smaller.
    pub PNet<3, H, W> for [(12, 12), (24, 16), (9, 31)] {
        conv1: conv2d<5, 3>, prelu1: prelu(num_parameters = channels), max_pool2d<2>(ceil_mode = true),
        conv2: conv2d<6, 3>, prelu2: prelu(num_parameters = channels) as seen,
        outputs {
            probability: [conv4_1: conv2d<2, 1>],
            boxes: [seen, conv4_2: conv2d<4, 1>],
        },
    }

    /// Numbers that are used in the body, a side for both, and state.
    #[derive(PartialEq)]
    Square<2, S, S> for [8, { 4 * 4 }] {
        c1: cell<4>, crop<{ S / 8 }>, max_pool2d<2>, c2: cell<5>,
        adaptive_avg_pool2d<1>, flatten, fc: linear<3>,
    }

    /// Two inputs, and heads.
    pub(crate) Pair<image: <1, S, S>, mask: <1, S, S>> for [6, 10] {
        concat { image, mask }, conv: conv2d<3, 3>, relu,
        concat { near: conv2d<2, 1>, far: [side: conv2d<3, 1>, relu] },
    }

    /// A loss at several sizes.
    Mean<output: <1, S, S>, target: <1, S, S>> for [4, 7] {
        map(|output, target| (output - target) * (output - target)), mean,
    }
}

#[test]
fn every_size_is_a_network() -> Result<(), Error> {
    common::check_both::<PNet<12, 12>>(2, 1000)?;
    common::check_both::<PNet<9, 31>>(2, 1000)?;
    common::check_both::<Square<8>>(3, 1000)?;
    common::check_both::<Square<16>>(3, 1000)?;
    common::check_both::<Pair<10>>(2, 1000)
}

/// A batch of this shape that is no other batch.
fn batch<S: Shape>(samples: usize) -> Batch<S> {
    Batch::from_nchw(&common::values(samples * S::LEN, S::LEN as u64)).expect("as many values")
}

#[test]
fn another_size_has_the_same_weights_in_the_same_memory() {
    let net = PNet::<12, 12>::new(3);
    let place = net.weights().values().as_ptr();
    let other = net.at::<24, 16>();
    assert_eq!(other.weights().values().as_ptr(), place);
    assert!(PNet::<24, 16>::new(3).weights() == other.weights());
    let names: Vec<_> = net.weights().tensors().map(|tensor| tensor.name).collect();
    assert!(other.weights().tensors().map(|tensor| tensor.name).eq(names));
    // What is moved is not copied when it is changed; what is shared is, once.
    drop(net);
    let mut moved = other.resize::<9, 31>();
    moved.weights_mut().values_mut()[0] = 7.0;
    assert_eq!(moved.weights().values().as_ptr(), place);
    let mut shared = moved.at::<12, 12>();
    shared.weights_mut().values_mut()[0] = 8.0;
    assert_ne!(shared.weights().values().as_ptr(), place);
    assert_eq!((moved.weights().values()[0], shared.weights().values()[0]), (7.0, 8.0));
}

#[test]
fn a_map_without_a_border_is_the_same_at_every_size() -> Result<(), Error> {
    network! {
        Wide<1, H, W> for [(8, 8), (12, 10)] { conv2d<3, 3>, relu, conv2d<2, 3> }
    }
    let net = Wide::<8, 8>::new(1);
    let large = batch::<Chw<1, 12, 10>>(1);
    let small =
        Batch::from_nchw(&(0..64).map(|place| large[(0, [0, place / 8 + 3, place % 8 + 1])]).collect::<Vec<_>>())?;
    let (of_large, of_small) = (net.at::<12, 10>().forward(&large), net.forward(&small));
    for (channel, row, column) in (0..32).map(|place| (place / 16, place / 4 % 4, place % 4)) {
        // Sums of nine and of 27 products, of which the order may be another.
        let (found, expected) = (of_large[(0, [channel, row + 3, column + 1])], of_small[(0, [channel, row, column])]);
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
    Ok(())
}

/// What generic code can do with a size.
fn mean_probability<const H: usize, const W: usize>(net: &PNet<12, 12>) -> f32
where
    PNet<H, W>: PNetSize,
{
    let net = net.at::<H, W>();
    let output = net.freeze().predict_batch_of(&batch(2));
    let PNetOutputs { probability, boxes } = PNet::<H, W>::outputs(output.samples());
    assert_eq!(probability.len(), boxes.len());
    let values: Vec<f32> = probability.rows().map(|row| row[1]).collect();
    values.iter().sum::<f32>() / values.len() as f32
}

/// What a predictor makes of a batch.
trait PredictBatch<N: Network> {
    fn predict_batch_of(self, input: &Batch<N::Input>) -> Batch<N::Output>;
}

impl<N: Network> PredictBatch<N> for cnn_core::network::Predictor<N> {
    fn predict_batch_of(mut self, input: &Batch<N::Input>) -> Batch<N::Output> {
        let mut output = Batch::zeros(0);
        self.predict_batch(input, &mut output);
        output
    }
}

#[test]
fn functions_are_generic_over_sizes() {
    let net = PNet::<12, 12>::new(0);
    let of_second = {
        let output = net.at::<24, 16>().forward(&batch(2));
        let PNetOutputs { probability, .. } = PNet::<24, 16>::outputs(output.samples());
        let probability: Batch<Chw<2, 9, 5>> = probability.to_batch();
        let ones: Vec<f32> = probability.values().iter().skip(1).step_by(2).copied().collect();
        ones.iter().sum::<f32>() / ones.len() as f32
    };
    assert!((mean_probability::<24, 16>(&net) - of_second).abs() < 1e-6);
    assert!(mean_probability::<9, 31>(&net).is_finite());
}

type Trained = (PNet<12, 12>, Adam<PNet<12, 12>>);

/// A step of training at a size, with a loss for each output.
fn step<const H: usize, const W: usize>((net, adam): Trained) -> Result<Trained, Error>
where
    PNet<H, W>: PNetSize,
{
    let (mut net, mut adam): (PNet<H, W>, Adam<PNet<H, W>>) = (net.resize(), adam.resized());
    let (ones, boxes) = (batch(3), batch(3));
    let loss = PNetLosses { probability: MeanSquaredError::new(&ones), boxes: MeanSquaredError::new(&boxes) };
    let mut training = Training::new(0);
    training.backward(Mode::Training, &mut net, &batch(3), &loss)?;
    adam.step(&mut net, training.gradients());
    Ok((net.resize::<12, 12>(), adam.resized()))
}

#[test]
fn training_goes_on_at_another_size_with_its_state() -> Result<(), Error> {
    let fresh = || Adam::new(AdamOptions::new(0.01));
    let start = PNet::<12, 12>::new(0);
    let first = start.weights().values().as_ptr();
    // A clone is alive: one copy, and none after it.
    let (net, adam) = step::<24, 16>((start.clone(), fresh()?))?;
    assert!(net.weights() != start.weights() && start.weights().values().as_ptr() == first);
    let place = net.weights().values().as_ptr();
    let (net, adam) = step::<9, 31>((net, adam))?;
    assert_eq!(net.weights().values().as_ptr(), place);
    // The optimizer's means went along.
    let (with_means, _) = step::<12, 12>((net.clone(), adam))?;
    let (without, _) = step::<12, 12>((net, fresh()?))?;
    assert!(with_means.weights() != without.weights());
    Ok(())
}

#[test]
fn a_step_at_a_size_is_that_of_the_same_network_alone() -> Result<(), Error> {
    network! {
        Alone<2, 16, 16> {
            c1: [conv: conv2d<4, 3>(padding = 1, bias = false), norm: batch_norm2d, relu], crop<2>, max_pool2d<2>,
            c2: [conv: conv2d<5, 3>(padding = 1, bias = false), norm: batch_norm2d, relu],
            adaptive_avg_pool2d<1>, flatten, fc: linear<3>,
        }
    }
    let (mut of_sizes, mut alone) = (Square::<8>::new(5).resize::<16>(), Alone::new(5));
    let labels = Labels::new(&[0, 2, 1])?;
    let (mut one, mut other) = (Training::new(0), Training::new(0));
    let (mut sgd, mut sgd_alone) = (Sgd::new(SgdOptions::new(0.1))?, Sgd::new(SgdOptions::new(0.1))?);
    for _ in 0..3 {
        let loss = one.backward(Mode::Training, &mut of_sizes, &batch(3), &CrossEntropy::new(&labels))?;
        let expected = other.backward(Mode::Training, &mut alone, &batch(3), &CrossEntropy::new(&labels))?;
        assert_eq!(loss.to_bits(), expected.to_bits());
        sgd.step(&mut of_sizes, one.gradients());
        sgd_alone.step(&mut alone, other.gradients());
    }
    assert_eq!(of_sizes.weights().values(), alone.weights().values());
    assert_eq!(of_sizes.weights().state(), alone.weights().state());
    assert_eq!(of_sizes.weights().counts(), [3, 3]);
    // Counts and statistics go along.
    assert!(of_sizes.at::<8>().weights().state() == alone.weights().state());
    Ok(())
}

#[test]
fn what_one_size_saves_another_loads() -> Result<(), Error> {
    let file =
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sizes-{}.safetensors", std::process::id()));
    let saved = Square::<8>::new(11);
    saved.save_safetensors(&file)?;
    let mut loaded = Square::<16>::new(0);
    loaded.load_safetensors(&file)?;
    std::fs::remove_file(&file).expect("it was saved");
    assert!(loaded == saved.at());
    Ok(())
}

#[test]
fn inputs_and_heads_have_the_shapes_of_their_size() -> Result<(), Error> {
    let net = Pair::<6>::new(2);
    let (image, mask): (Batch<Chw<1, 10, 10>>, Batch<Chw<1, 10, 10>>) = (batch(2), batch(2));
    let pairs = PairInputs { image: &image, mask: &mask }.batch()?;
    assert_eq!(pairs, Pair::<10>::inputs(&image, &mask)?);
    let output = net.at::<10>().forward(&pairs);
    let PairHeads { near, far } = Pair::<10>::heads(output.samples());
    let (near, far): (Batch<Chw<2, 8, 8>>, Batch<Chw<3, 8, 8>>) = (near.to_batch(), far.to_batch());
    assert_eq!(near[(1, [1, 7, 7])], output[(1, [1, 7, 7])]);
    assert_eq!(far[(1, [2, 0, 3])], output[(1, [4, 0, 3])]);
    let empty = Batch::zeros(0);
    let small: PairHeads<'_, 6> = Pair::<6>::heads(empty.samples());
    assert!(small.near.is_empty());
    Ok(())
}

#[test]
fn a_loss_is_one_at_each_size() -> Result<(), Error> {
    let (output, target): (Batch<Chw<1, 7, 7>>, _) = (batch(3), Batch::zeros(3));
    let [mut found, mut expected] = [Batch::zeros(3), Batch::zeros(3)];
    let loss = Mean::<7>::loss(&target).evaluate(output.samples(), found.samples_mut())?;
    let mean = MeanSquaredError::new(&target).evaluate(output.samples(), expected.samples_mut())?;
    assert!((loss - mean).abs() < 1e-6);
    for (found, expected) in found.values().iter().zip(expected.values()) {
        assert!((found - expected).abs() < 1e-7);
    }
    Ok(())
}

#[test]
fn a_size_is_a_step_of_another_network() -> Result<(), Error> {
    network! {
        Outer<2, S, S> for [8, 16] { body: Square<S>, relu, out: linear<2> }
    }
    common::check_both::<Outer<16>>(3, 500)?;
    let net = Outer::<8>::new(1);
    assert_eq!(
        net.at::<16>().weights().tensors().next().map(|tensor| tensor.name).as_deref(),
        Some("body.c1.conv.weight")
    );
    Ok(())
}

#[test]
fn each_size_has_its_name_and_its_costs() {
    assert_eq!([PNet::<12, 12>::NAME, PNet::<9, 31>::NAME], ["PNet<12, 12>", "PNet<9, 31>"]);
    assert_eq!(PNet::<12, 12>::PARAMETERS, PNet::<9, 31>::PARAMETERS);
    const { assert!(PNet::<12, 12>::MULTIPLY_ADDS < PNet::<9, 31>::MULTIPLY_ADDS) };
    assert_eq!(format!("{:?}", Square::<8>::new(0)), "Weights<Square<8>>(288 values)");
    fn first<N: Resize>(_: &N) -> &'static str {
        N::First::NAME
    }
    assert_eq!(first(&PNet::<9, 31>::new(0)), "PNet<12, 12>");
}
