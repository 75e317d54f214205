//! Networks with several inputs and several outputs, each of its own shape, and steps that share weights: against the f64
//! reference, its central differences, and their own predictors.

mod common;

use cnn_core::loss::Loss;
use cnn_core::network::{Inputs, Outputs};
use cnn_core::prelude::*;
use cnn_core::shape::Shape;

network! {
    block cell<C, K> { conv2d<C, K>(padding = same, bias = false), batch_norm2d, relu }

    /// A picture and ten numbers beside it.
    pub Wide<image: <2, 6, 5>, features: <10>> {
        conv: cell<4, 3>, flatten as seen,
        features, wide: linear<3>, relu as beside,
        concat { seen, beside, features },
        fc: linear<4>,
    }

    /// Outputs at three resolutions, one of them of another rank, and one that is another's input.
    pub Detector<2, 8, 8> {
        stem: [cell<4, 3>, max_pool2d<2>] as p3,
        c4: [cell<6, 3>, max_pool2d<2>] as p4,
        outputs {
            small: [p3, conv2d<3, 1>],
            medium: [p4, head: conv2d<2, 1>],
            whole: [p4, adaptive_avg_pool2d<1>, flatten, fc: linear<5>],
            seen: p4,
        },
    }

    /// Both towers have the same weights, and the running statistics of both.
    pub Siamese<left: <1, 6, 6>, right: <1, 6, 6>> {
        left, tower: [cell<3, 3>, conv2d<2, 3>, flatten, linear<4>] as a,
        right, share<tower> as b,
        outputs { first: a, second: b, both: [add { a, b }, linear<2>] },
    }

    /// The same weights three times in a row, and once on a smaller map.
    pub Recurrent<3, 6, 6> {
        step: [conv2d<3, 3>(padding = 1), tanh], share<step>, share<step>,
        max_pool2d<2>, share<step>, slopes: prelu(num_parameters = 3), conv: conv2d<3, 1>, share<slopes>,
        flatten, linear<2>,
    }

    /// A tower that is a network of its own.
    pub Tower<2, 4, 4> { conv: conv2d<3, 3>, norm: batch_norm2d, relu, flatten, fc: linear<3> }

    /// Twice it, and once more with its own weights.
    pub Towers<left: <2, 4, 4>, right: <2, 4, 4>> {
        left, tower: Tower as a, right, share<tower> as b, right, other: Tower as c,
        concat { a, b, c }, fc: linear<2>,
    }
}

#[test]
fn of_several_inputs() -> Result<(), Error> {
    common::check_both::<Wide>(3, 1000)
}

#[test]
fn of_several_outputs() -> Result<(), Error> {
    common::check_both::<Detector>(3, 1000)
}

#[test]
fn of_shared_towers() -> Result<(), Error> {
    common::check_both::<Siamese>(3, 1000)
}

#[test]
fn of_weights_that_are_shared_in_a_row() -> Result<(), Error> {
    common::check_both::<Recurrent>(2, 1000)
}

#[test]
fn of_networks_that_share() -> Result<(), Error> {
    common::check_both::<Towers>(3, 1000)
}

#[test]
fn shared_weights_are_there_once() {
    assert_eq!(Recurrent::PARAMETERS, (3 * 9 + 1) * 3 + 3 + (3 + 1) * 3 + (3 * 9 + 1) * 2);
    let net = Recurrent::new(0);
    let names: Vec<_> = net.weights().tensors().map(|tensor| tensor.name).collect();
    assert_eq!(
        names,
        ["step.0.weight", "step.0.bias", "slopes.weight", "conv.weight", "conv.bias", "9.weight", "9.bias"]
    );
    assert_eq!(Siamese::new(0).weights().counts().len(), 1);
}

#[test]
fn inputs_have_names_and_an_order() -> Result<(), Error> {
    let images = Batch::<Chw<2, 6, 5>>::from_nchw(&common::values(2 * 60, 1))?;
    let features = Batch::<Flat<10>>::from_nchw(&common::values(2 * 10, 2))?;
    let batch: Batch<Inputs<Wide>> = WideInputs { image: &images, features: &features }.batch()?;
    assert_eq!(batch, Wide::inputs(&images, &features)?);
    // PyTorch's order is that of each input.
    let (image, numbers) = (images.to_nchw(), features.to_nchw());
    let together = [&image[..60], &numbers[..10], &image[60..], &numbers[10..]].concat();
    assert_eq!(batch.to_nchw(), together);
    assert_eq!(Batch::<Inputs<Wide>>::from_nchw(&together)?, batch);

    let mut other = batch.clone();
    let error = WideInputs { image: &images, features: &Batch::zeros(3) }.write_to(&mut other).unwrap_err();
    assert!(matches!(error, Error::Samples { expected: 2, found: 3 }), "{error}");
    assert_eq!(other, batch);
    let none = Wide::inputs(&Batch::zeros(0), &Batch::zeros(0))?;
    assert!(Wide::new(0).forward(&none).is_empty());
    Ok(())
}

#[test]
fn outputs_have_names_and_shapes() -> Result<(), Error> {
    let net = Detector::new(1);
    let input = Batch::from_nchw(&common::values(2 * Chw::<2, 8, 8>::LEN, 3))?;
    let output: Batch<Outputs<Detector>> = net.forward(&input);
    let DetectorOutputs { small, medium, whole, seen } = Detector::outputs(output.samples());
    let (small, seen): (Batch<Chw<3, 4, 4>>, Batch<Chw<6, 2, 2>>) = (small.to_batch(), seen.to_batch());
    let (medium, whole): (Batch<Chw<2, 2, 2>>, Batch<Flat<5>>) = (medium.to_batch(), whole.to_batch());
    let sample = |n: usize| {
        [
            small.to_nchw()[n * 48..][..48].to_vec(),
            medium.to_nchw()[n * 8..][..8].to_vec(),
            whole.to_nchw()[n * 5..][..5].to_vec(),
            seen.to_nchw()[n * 24..][..24].to_vec(),
        ]
        .concat()
    };
    assert_eq!(output.to_nchw(), [sample(0), sample(1)].concat());

    let view = Detector::outputs(output.samples()).seen;
    assert_eq!((view.len(), view.channels()), (2, 0..6));
    assert_eq!(view[(1, [5, 1, 0])], seen[(1, [5, 1, 0])]);
    assert_eq!(view.sample(1)[[5, 1, 0]], seen[(1, [5, 1, 0])]);
    assert_eq!(view.sample(1).to_tensor().values(), seen.get(1).unwrap().values());
    assert_eq!(view.rows().len(), 8);
    assert!(view.rows().zip(seen.values().chunks_exact(6)).all(|(one, other)| one == other));
    Ok(())
}

/// The loss of several outputs is the sum of the losses of each, and so is its gradient.
#[test]
fn each_output_has_a_loss() -> Result<(), Error> {
    let input = Batch::from_nchw(&common::values(2 * Chw::<2, 8, 8>::LEN, 3))?;
    let (small, medium, seen) = (Batch::zeros(2), Batch::zeros(2), Batch::zeros(2));
    let labels = Labels::new(&[1, 4])?;
    let loss = DetectorLosses {
        small: MeanSquaredError::new(&small),
        medium: MeanSquaredError::new(&medium),
        whole: CrossEntropy::new(&labels),
        seen: MeanSquaredError::new(&seen),
    };
    let output = Detector::new(1).forward(&input);
    let mut gradient = Batch::zeros(2);
    let found = loss.evaluate(output.samples(), gradient.samples_mut())?;
    let views = Detector::outputs(output.samples());
    let gradients = Detector::outputs(gradient.samples());
    let mut expected = 0.0;
    let (mut of_small, mut of_whole) = (Batch::zeros(2), Batch::zeros(2));
    expected += loss.small.evaluate(views.small.to_batch().samples(), of_small.samples_mut())?;
    expected += loss.medium.evaluate(views.medium.to_batch().samples(), Batch::zeros(2).samples_mut())?;
    expected += loss.whole.evaluate(views.whole.to_batch().samples(), of_whole.samples_mut())?;
    expected += loss.seen.evaluate(views.seen.to_batch().samples(), Batch::zeros(2).samples_mut())?;
    assert_eq!(found, expected);
    assert_eq!(gradients.small.to_batch(), of_small);
    assert_eq!(gradients.whole.to_batch(), of_whole);

    // A loss that fails leaves the gradient as it was.
    let three = Labels::new(&[1, 4, 0])?;
    let before = gradient.clone();
    let wrong =
        DetectorLosses { small: loss.small, medium: loss.medium, whole: CrossEntropy::new(&three), seen: loss.seen };
    assert!(wrong.evaluate(output.samples(), gradient.samples_mut()).is_err());
    assert_eq!(gradient, before);

    let mut net = Detector::new(1);
    let mut training = Training::new(0);
    let mut optimizer = Sgd::new(SgdOptions::new(0.05))?;
    let first = training.backward(Mode::Training, &mut net, &input, &loss)?;
    for _ in 0..20 {
        training.backward(Mode::Training, &mut net, &input, &loss)?;
        optimizer.step(&mut net, training.gradients());
    }
    assert!(training.backward(Mode::Training, &mut net, &input, &loss)? < 0.9 * first);
    Ok(())
}

#[test]
fn a_sample_is_the_same_alone_and_among_others() -> Result<(), Error> {
    let batch = Batch::<Inputs<Siamese>>::from_nchw(&common::values(33 * 72, 9))?;
    let net = Siamese::new(2);
    let (together, mut predicted) = (net.forward(&batch), Batch::zeros(0));
    let mut predictor = net.freeze();
    predictor.predict_batch(&batch, &mut predicted);
    for (index, sample) in batch.iter().enumerate() {
        let alone = Batch::<Inputs<Siamese>>::from_nhwc(sample.values())?;
        assert_eq!(net.forward(&alone).values(), together.get(index).unwrap().values());
        let mut tensor = Tensor::zeros();
        tensor.values_mut().copy_from_slice(sample.values());
        assert_eq!(predictor.predict(&tensor).values(), predicted.get(index).unwrap().values());
    }
    Ok(())
}
