//! Losses of networks: how many labels they take, and what they say of others.

use cnn_core::prelude::*;
use cnn_core::reference;

network! {
    /// A score for each of three classes at every position.
    pub Pixels<1, 4, 5> { conv2d<3, 3>(padding = 1) }

    /// The same as probabilities.
    pub Odds<1, 4, 5> { conv2d<3, 3>(padding = 1), softmax }
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
