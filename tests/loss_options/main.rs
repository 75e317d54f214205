//! The library's losses with all their options beside PyTorch's, which `benches/peers/specials.py` writes down.

#[rustfmt::skip]
mod pytorch;

use cnn_core::loss::{BinaryCrossEntropyWithLogits, Huber, KlDivergence, L1, Loss, Reduction, SmoothL1};
use cnn_core::prelude::*;
use pytorch::{LOGITS, TARGETS};

/// The loss and the gradient are PyTorch's.
fn check(name: &str, loss: &impl Loss<Flat<5>>, expected: &pytorch::Loss) -> Result<(), Error> {
    let logits = Batch::from_nchw(&LOGITS)?;
    let mut gradient = Batch::zeros(6);
    let found = loss.evaluate(logits.samples(), gradient.samples_mut())?;
    let is_near = |found: f32, expected: f32| (found - expected).abs() <= 1e-5 * expected.abs() + 1e-6;
    assert!(is_near(found, expected.loss), "{name}: {found} {}", expected.loss);
    for (index, (found, expected)) in gradient.values().iter().zip(&expected.gradient).enumerate() {
        assert!(is_near(*found, *expected), "{name} at {index}: {found} {expected}");
    }
    Ok(())
}

#[test]
fn every_option_is_pytorch_s() -> Result<(), Error> {
    let targets = Batch::from_nchw(&TARGETS)?;
    let labels = Labels::<5>::new(&[0, 4, 2, 2, 1, 3])?;
    let ignored = Labels::<5>::ignoring(-1, &[0, -1, 2, 2, -1, 3])?;
    let weights = [1.0, 2.0, 0.5, 0.0, 3.0];
    macro_rules! check {
        ($($mean:ident $sum:ident $loss:expr;)*) => {
            $(
                check(stringify!($mean), &$loss, &pytorch::$mean)?;
                check(stringify!($sum), &$loss.reduction(Reduction::Sum), &pytorch::$sum)?;
            )*
        };
    }
    check! {
        L1 L1_SUM L1::new(&targets);
        SMOOTH_L1 SMOOTH_L1_SUM SmoothL1::new(&targets).beta(0.7)?;
        HUBER HUBER_SUM Huber::new(&targets).delta(1.3)?;
        BINARY BINARY_SUM BinaryCrossEntropyWithLogits::new(&targets);
        BINARY_POS BINARY_POS_SUM BinaryCrossEntropyWithLogits::new(&targets).pos_weight(2.5)?;
        DIVERGENCE DIVERGENCE_SUM KlDivergence::new(&targets);
        PLAIN PLAIN_SUM CrossEntropy::new(&labels);
        WEIGHTED WEIGHTED_SUM CrossEntropy::new(&labels).weights(&weights)?;
        SMOOTHED SMOOTHED_SUM CrossEntropy::new(&labels).label_smoothing(0.2)?;
        IGNORED IGNORED_SUM CrossEntropy::new(&ignored);
        ALL ALL_SUM CrossEntropy::new(&ignored).weights(&weights)?.label_smoothing(0.3)?;
    }
    Ok(())
}

#[test]
fn options_that_make_no_sense_are_errors() -> Result<(), Error> {
    let targets = Batch::<Flat<5>>::zeros(6);
    let labels = Labels::<5>::new(&[0; 6])?;
    for value in [-1.0, f32::NAN, f32::INFINITY] {
        assert!(matches!(SmoothL1::new(&targets).beta(value), Err(Error::LossOption { option: "beta", .. })));
        assert!(matches!(Huber::new(&targets).delta(value), Err(Error::LossOption { option: "delta", .. })));
        let weights = [1.0, 1.0, value, 1.0, 1.0];
        assert!(matches!(
            CrossEntropy::new(&labels).weights(&weights),
            Err(Error::LossOption { option: "weight", .. })
        ));
        assert!(CrossEntropy::new(&labels).label_smoothing(value).is_err());
    }
    let error = Labels::<5>::ignoring(3, &[0, 3]).unwrap_err();
    assert_eq!(error.to_string(), "the ignored label 3 is one of the 5 classes");
    assert!(matches!(Labels::<5>::ignoring(255, &[0, 7]), Err(Error::Label { index: 1, .. })));
    let error = SmoothL1::new(&targets).beta(-2.0).unwrap_err();
    assert_eq!(error.to_string(), "beta = -2: a finite number above 0");
    Ok(())
}

/// As in PyTorch, a mean of nothing is NaN: a training step says so, and leaves the network as it was.
#[test]
fn a_batch_in_which_no_label_counts_is_an_error() -> Result<(), Error> {
    network! {
        /// Scores.
        Small<4> { linear<5> }
    }
    let none = Labels::<5>::ignoring(-1, &[-1, -1])?;
    let (mut net, batch) = (Small::new(0), Batch::from_nchw(&[1.0; 8])?);
    let error = Training::new(0).backward(Mode::Training, &mut net, &batch, &CrossEntropy::new(&none)).unwrap_err();
    assert!(matches!(error, Error::NonFiniteLoss { .. }), "{error}");
    let sum = CrossEntropy::new(&none).reduction(Reduction::Sum);
    let mut training = Training::new(0);
    assert_eq!(training.backward(Mode::Training, &mut net, &batch, &sum)?, 0.0);
    assert!(training.gradients().values().iter().all(|gradient| *gradient == 0.0));
    Ok(())
}

#[test]
fn labels_of_a_softmax_may_be_ignored_too() -> Result<(), Error> {
    network! {
        /// Probabilities.
        Sure<5> { linear<5>(bias = false), softmax }
        /// Their logits.
        Unsure<5> { linear<5>(bias = false) }
    }
    let labels = Labels::<5>::ignoring(255, &[1, 255, 3])?;
    let batch = Batch::from_nchw(&LOGITS[..15])?;
    let (mut one, mut other) = (Training::new(0), Training::new(0));
    let loss = one.backward(Mode::Training, &mut Sure::new(1), &batch, &NegativeLogLikelihood::new(&labels))?;
    let same = other.backward(Mode::Training, &mut Unsure::new(1), &batch, &CrossEntropy::new(&labels))?;
    assert_eq!(loss, same);
    assert_eq!(one.gradients().values(), other.gradients().values());
    Ok(())
}
