//! Losses of networks: how many labels they take, and what they say of others.

use cnn_core::prelude::*;
use cnn_core::reference;
use cnn_core::tensor::{Samples, SamplesMut};
use proptest::prelude::*;

network! {
    /// A score for each of three classes at every position.
    pub Pixels<1, 4, 5> { conv2d<3, 3>(padding = 1) }

    /// The same as probabilities.
    pub Odds<1, 4, 5> { conv2d<3, 3>(padding = 1), softmax }
}

network! {
    /// Two logits as they come in, and their probabilities.
    pub Last<2> { fc: linear<2>, softmax }

    /// A softmax that is not the last, and one of another network's, before one that is.
    pub Inner<4> { linear<4>, softmax }
    /// See there.
    pub Deep<4> { softmax, fc: linear<4>, inner: Inner, linear<3>, softmax }
    /// The same without the last.
    pub Shallow<4> { softmax, fc: linear<4>, inner: Inner, linear<3> }
}

fn images() -> Batch<Chw<1, 4, 5>> {
    let values: Vec<f32> = (0..2 * 20).map(|i| (i * 7 % 11) as f32 / 11.0).collect();
    Batch::from_nchw(&values).unwrap()
}

#[test]
fn every_position_of_a_map_has_a_label() -> Result<(), Error> {
    let classes: Vec<usize> = (0..2 * 20).map(|i| i * 5 % 3).collect();
    let labels = Labels::new(&classes)?;
    let mut net = Pixels::new(1);
    let mut training = Training::new(0);
    let loss = training.backward(Mode::Training, &mut net, &images(), &CrossEntropy::new(&labels))?;
    // Channels are last, so that the positions are the rows of the definition.
    let logits: Vec<f64> = training.output().values().iter().copied().map(f64::from).collect();
    assert!((f64::from(loss) - reference::loss::cross_entropy(3, &logits, &classes)).abs() < 1e-6);

    let mut odds = Odds::new(1);
    let mut training = Training::new(0);
    let same = training.backward(Mode::Training, &mut odds, &images(), &NegativeLogLikelihood::new(&labels))?;
    assert!((loss - same).abs() < 1e-6);
    assert_eq!(*training.output(), odds.forward(&images()));
    Ok(())
}

#[test]
fn another_number_of_labels_is_an_error_and_no_step() {
    let mut net = Pixels::new(1);
    let mut training = Training::new(0);
    let labels = Labels::<3>::new(&[0_u8, 1]).unwrap();
    let error = training.backward(Mode::Training, &mut net, &images(), &CrossEntropy::new(&labels)).unwrap_err();
    assert_eq!(error.to_string(), "expected 40 labels, 20 of each of 2 samples, found 2");
    assert_eq!(training.step(), 0);
}

#[test]
fn a_label_that_is_no_class_is_an_error() {
    assert_eq!(
        Labels::<3>::new(&[0_i64, 2, -1]).unwrap_err().to_string(),
        "label 2: -1 is not below the number of classes, 3"
    );
    assert_eq!(Labels::<3>::new(&[3_u8]).unwrap_err().to_string(), "label 0: 3 is not below the number of classes, 3");
}

#[test]
fn a_loss_that_is_no_number_stops_the_training_at_its_step() -> Result<(), Error> {
    let mut net = Pixels::new(1);
    let mut training = Training::new(0);
    let labels = Labels::<3>::new(&[0_u8; 40])?;
    training.backward(Mode::Training, &mut net, &images(), &CrossEntropy::new(&labels))?;
    let poisoned = images().map(|_| f32::NAN);
    let error = training.backward(Mode::Training, &mut net, &poisoned, &CrossEntropy::new(&labels)).unwrap_err();
    assert!(matches!(error, Error::NonFiniteLoss { step: 1, .. }), "{error}");
    assert_eq!(training.step(), 1);
    Ok(())
}

#[test]
fn gradients_are_clipped_to_a_length() -> Result<(), Error> {
    let mut net = Pixels::new(1);
    let mut training = Training::new(0);
    let labels = Labels::<3>::new(&[1_u8; 40])?;
    training.backward(Mode::Training, &mut net, &images(), &CrossEntropy::new(&labels))?;
    let length = |training: &Training<Pixels>| training.gradients().values().iter().map(|g| g * g).sum::<f32>().sqrt();
    let before = length(&training);
    let told = training.gradients_mut().clip_norm(0.01)?;
    assert!((told - f64::from(before)).abs() < 1e-5);
    assert!((length(&training) - 0.01).abs() < 1e-5);
    Ok(())
}

#[test]
fn an_empty_batch_is_an_error() {
    let mut net = Pixels::new(1);
    let labels = Labels::<3>::default();
    let empty = Batch::zeros(0);
    let error = Training::new(0).backward(Mode::Training, &mut net, &empty, &CrossEntropy::new(&labels)).unwrap_err();
    assert_eq!(error.to_string(), "the batch is empty: it takes at least one 1x4x5 sample");
    assert!(net.forward(&empty).is_empty());
}

/// The loss of one sample with these logits, their gradient, and the probabilities.
fn likelihood(logits: [f32; 2], label: usize) -> Result<(f32, [f32; 2], Vec<f32>), Error> {
    let mut last = Last::new(0);
    // The logits are the bias.
    last.weights_mut().values_mut().copy_from_slice(&[0.0, 0.0, 0.0, 0.0, logits[0], logits[1]]);
    let (mut training, labels) = (Training::new(0), Labels::<2>::new(&[label])?);
    let input = Batch::from_nchw(&[0.0; 2])?;
    let loss = training.backward(Mode::Training, &mut last, &input, &NegativeLogLikelihood::new(&labels))?;
    assert_eq!(*training.output(), last.forward(&input));
    let [.., a, b] = training.gradients().values() else { unreachable!("six values") };
    Ok((loss, [*a, *b], training.output().values().to_vec()))
}

/// `F.cross_entropy` of PyTorch, of the logits.
#[test]
fn the_likelihood_of_a_softmax_is_exact_whatever_the_logits() -> Result<(), Error> {
    for (logits, label, loss, gradient) in [
        ([88.0, 0.0], 1, 88.0, [1.0, -1.0]),
        ([104.0, 0.0], 1, 104.0, [1.0, -1.0]),
        ([1e4, 0.0], 1, 1e4, [1.0, -1.0]),
        ([-1e38, 1e38], 0, 2e38, [-1.0, 1.0]),
        ([-1e38, 1e38], 1, 0.0, [0.0, 0.0]),
        ([f32::NEG_INFINITY, 5.0], 1, 0.0, [0.0, 0.0]),
        ([7.0, 7.0], 0, 2.0_f32.ln(), [-0.5, 0.5]),
    ] {
        let (found, found_gradient, probabilities) = likelihood(logits, label)?;
        assert!((found - loss).abs() <= f32::EPSILON * loss, "{logits:?}: {found}, expected {loss}");
        assert_eq!(found_gradient, gradient, "{logits:?}");
        assert_eq!(probabilities.iter().sum::<f32>(), 1.0, "{logits:?}");
    }
    // The other class's share is all that is left of a sure network's loss and gradient.
    let (loss, [a, b], _) = likelihood([30.0, 0.0], 0)?;
    let share = (-30.0_f32).exp();
    assert!([loss, -a, b].iter().all(|found| (found - share).abs() < 1e-6 * share), "{loss:e}, {a:e}, {b:e}");
    // The truth is ruled out.
    let error = likelihood([f32::NEG_INFINITY, 5.0], 0).unwrap_err();
    assert!(matches!(error, Error::NonFiniteLoss { loss: f32::INFINITY, .. }), "{error}");
    Ok(())
}

proptest! {
    #[test]
    fn likelihood_is_cross_entropy_of_the_network_without_its_softmax(
        values in prop::collection::vec(-9.0..9.0_f32, 3 * 4),
        classes in prop::collection::vec(0..3_usize, 3),
        seed in any::<u64>(),
        scale in prop_oneof![Just(1.0_f32), Just(1e3), Just(1e20)],
    ) {
        let (mut deep, mut shallow) = (Deep::new(seed), Shallow::new(0));
        // Logits of every size.
        let weights = deep.weights_mut().values_mut();
        let last = weights.len() - 15;
        weights[last..].iter_mut().for_each(|weight| *weight *= scale);
        shallow.weights_mut().values_mut().copy_from_slice(deep.weights().values());
        let input = Batch::from_nchw(&values).unwrap();
        let labels = Labels::new(&classes).unwrap();
        let (mut of_deep, mut of_shallow) = (Training::new(0), Training::new(0));
        let likelihood = NegativeLogLikelihood::new(&labels);
        let loss = of_deep.backward(Mode::Training, &mut deep, &input, &likelihood).unwrap();
        let same = of_shallow.backward(Mode::Training, &mut shallow, &input, &CrossEntropy::new(&labels)).unwrap();
        prop_assert_eq!(loss.to_bits(), same.to_bits());
        prop_assert_eq!(of_deep.gradients().values(), of_shallow.gradients().values());
        // What it made are probabilities, as ever.
        prop_assert_eq!(of_deep.output(), &deep.forward(&input));
        let logits: Vec<f64> = of_shallow.output().values().iter().copied().map(f64::from).collect();
        let expected = reference::loss::cross_entropy(3, &logits, &classes);
        prop_assert!((f64::from(loss) - expected).abs() <= 2e-7 * (1.0 + expected), "{} {}", loss, expected);
    }
}

/// A loss of a user's own, which is given what the network makes.
struct Sharpness;

impl Loss<Probabilities<Flat<2>>> for Sharpness {
    fn evaluate(
        &self,
        output: Samples<'_, Probabilities<Flat<2>>>,
        mut grad_output: SamplesMut<'_, Probabilities<Flat<2>>>,
    ) -> Result<f32, Error> {
        assert_eq!(output.values(), [0.5, 0.5]);
        grad_output.values().copy_from_slice(&[1.0, 0.0]);
        Ok(0.0)
    }
}

#[test]
fn a_loss_of_ones_own_has_the_probabilities() -> Result<(), Error> {
    let mut last = Last::new(0);
    last.weights_mut().values_mut().fill(0.0);
    let mut training = Training::new(0);
    training.backward(Mode::Training, &mut last, &Batch::zeros(1), &Sharpness)?;
    // Through the softmax.
    assert_eq!(training.gradients().values()[4..], [0.25, -0.25]);
    Ok(())
}
