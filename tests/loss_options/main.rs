//! The library's losses with all their options beside PyTorch's, which `benches/peers/specials.py` writes down.

#[rustfmt::skip]
mod pytorch;
mod declared;
mod reference;

use cnn_core::loss::{
    BinaryCrossEntropyWithLogits, Huber, KlDivergence, L1, Loss, NllLoss, Reduction, SmoothL1, SoftCrossEntropy,
};
use cnn_core::prelude::*;
use cnn_core::shape::Shape;
use pytorch::{LOGITS, TARGETS};

/// The loss and the gradient are PyTorch's.
fn check(name: &str, loss: &impl Loss<Flat<5>>, expected: &pytorch::Loss) -> Result<(), Error> {
    check_of(&Batch::from_nhwc(&LOGITS)?, name, loss, expected)
}

/// The same of two maps of three pixels.
fn check_pixels(name: &str, loss: &impl Loss<Chw<5, 1, 3>>, expected: &pytorch::Loss) -> Result<(), Error> {
    check_of(&Batch::from_nhwc(&LOGITS)?, name, loss, expected)
}

fn check_of<S: Shape>(
    logits: &Batch<S>,
    name: &str,
    loss: &impl Loss<S>,
    expected: &pytorch::Loss,
) -> Result<(), Error> {
    let mut gradient = Batch::zeros(logits.len());
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
        ($($mean:ident $sum:ident $loss:expr;)*) => { check! { with check; $($mean $sum $loss;)* } };
        (with $check:ident; $($mean:ident $sum:ident $loss:expr;)*) => {
            $(
                $check(stringify!($mean), &$loss, &pytorch::$mean)?;
                $check(stringify!($sum), &$loss.reduction(Reduction::Sum), &pytorch::$sum)?;
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
        NLL NLL_SUM NllLoss::new(&labels);
        NLL_WEIGHTED NLL_WEIGHTED_SUM NllLoss::new(&labels).weights(&weights)?;
        NLL_ALL NLL_ALL_SUM NllLoss::new(&ignored).weights(&weights)?;
        SOFT SOFT_SUM SoftCrossEntropy::new(&targets);
        SOFT_WEIGHTED SOFT_WEIGHTED_SUM SoftCrossEntropy::new(&targets).weights(&weights)?;
        SOFT_SMOOTHED SOFT_SMOOTHED_SUM SoftCrossEntropy::new(&targets).label_smoothing(0.2)?;
    }
    let targets = Batch::from_nhwc(&TARGETS)?;
    check! {
        with check_pixels;
        PIXELS PIXELS_SUM NllLoss::new(&ignored).weights(&weights)?;
        ALL ALL_SUM CrossEntropy::new(&ignored).weights(&weights)?.label_smoothing(0.3)?;
        SOFT_ALL SOFT_ALL_SUM SoftCrossEntropy::new(&targets).weights(&weights)?.label_smoothing(0.3)?;
    }
    Ok(())
}

/// The probabilities of the logits, and the way back through the softmax.
#[test]
fn likelihoods_of_probabilities_have_the_options_too() -> Result<(), Error> {
    network! {
        /// Its logits are the input.
        Sure<5> { fc: linear<5>, softmax }
    }
    let ignored = Labels::<5>::ignoring(-1, &[0, -1, 2, 2, -1, 3])?;
    let weights = [1.0, 2.0, 0.5, 0.0, 3.0];
    let mut sure = Sure::new(0);
    let parameters = sure.weights_mut().values_mut();
    parameters.fill(0.0);
    (0..5).for_each(|class| parameters[6 * class] = 1.0);
    let batch = Batch::from_nhwc(&LOGITS)?;
    for (reduction, expected) in [(Reduction::Mean, &pytorch::LIKELIHOOD), (Reduction::Sum, &pytorch::LIKELIHOOD_SUM)] {
        let likelihood = NegativeLogLikelihood::new(&ignored).weights(&weights)?.reduction(reduction);
        let mut training = Training::new(0);
        let loss = training.backward(Mode::Training, &mut sure, &batch, &likelihood)?;
        assert!((loss - expected.loss).abs() < 1e-5 * expected.loss, "{loss} {}", expected.loss);
        // The gradient of the bias is that of the logits, added up over the samples.
        for (class, found) in training.gradients().values()[25..].iter().enumerate() {
            let expected: f32 = expected.gradient.iter().skip(class).step_by(5).sum();
            assert!((found - expected).abs() < 1e-5, "{class}: {found} {expected}");
        }
        // Of the probabilities alone it is the same loss.
        let probabilities = training.output().clone();
        let mut gradient = Batch::zeros(6);
        let same = likelihood.evaluate(probabilities.samples(), gradient.samples_mut())?;
        assert!((same - loss).abs() < 1e-5 * loss, "{same} {loss}");
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
    for value in [-1.0, f32::NAN, f32::INFINITY] {
        let weights = [1.0, 1.0, value, 1.0, 1.0];
        assert!(NllLoss::new(&labels).weights(&weights).is_err());
        assert!(NegativeLogLikelihood::new(&labels).weights(&weights).is_err());
        assert!(SoftCrossEntropy::new(&targets).weights(&weights).is_err());
        assert!(SoftCrossEntropy::new(&targets).label_smoothing(value).is_err());
    }
    let error = SoftCrossEntropy::new(&targets).weights(&[1.0; 4]).unwrap_err();
    assert_eq!(error.to_string(), "weights: expected 1 rows of 5 values, found 4 values");
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

/// What PyTorch makes of it: `nan`, `inf`, and the mean of nothing.
#[test]
fn hostile_outputs_have_pytorch_s_losses() -> Result<(), Error> {
    const INF: f32 = f32::INFINITY;
    let evaluate = |loss: &dyn Loss<Flat<3>>, values: &[f32]| -> Result<f32, Error> {
        let output = Batch::from_nhwc(values)?;
        loss.evaluate(output.samples(), Batch::zeros(output.len()).samples_mut())
    };
    let labels = Labels::<3>::new(&[0])?;
    let soft = Batch::from_nhwc(&[0.5, 0.5, 0.0])?;
    assert_eq!(evaluate(&NllLoss::new(&labels), &[-INF, 0.0, 0.0])?, INF);
    assert_eq!(evaluate(&NllLoss::new(&labels), &[0.0, -INF, f32::NAN])?, 0.0);
    // No share of an infinite loss, whose product with zero is no number.
    assert!(evaluate(&NllLoss::new(&labels).weights(&[0.0, 1.0, 1.0])?, &[-INF, 0.0, 0.0])?.is_nan());
    assert!(evaluate(&NllLoss::new(&labels).weights(&[0.0; 3])?, &[1.0, 0.0, 0.0])?.is_nan());
    assert!(evaluate(&SoftCrossEntropy::new(&soft), &[INF, 0.0, 0.0])?.is_nan());
    assert!(evaluate(&SoftCrossEntropy::new(&soft), &[0.0, 0.0, -INF])?.is_nan());
    assert_eq!(evaluate(&SoftCrossEntropy::new(&soft), &[0.0, -INF, 0.0])?, INF);
    assert_eq!(evaluate(&SoftCrossEntropy::new(&soft), &[3e38, 3e38, -3e38])?, 2_f32.ln());
    let none = Labels::<3>::ignoring(-1, &[-1])?;
    assert!(evaluate(&NllLoss::new(&none), &[0.0; 3])?.is_nan());
    assert_eq!(evaluate(&NllLoss::new(&none).reduction(Reduction::Sum), &[0.0; 3])?, 0.0);
    // Another number of samples, and none.
    assert!(matches!(evaluate(&NllLoss::new(&labels), &[0.0; 6]), Err(Error::Labels { samples: 2, .. })));
    assert!(matches!(evaluate(&NllLoss::new(&labels), &[]), Err(Error::EmptyBatch { .. })));
    let error = evaluate(&SoftCrossEntropy::new(&soft), &[0.0; 6]);
    assert!(matches!(error, Err(Error::Samples { expected: 2, found: 1 })));
    assert!(matches!(evaluate(&SoftCrossEntropy::new(&soft), &[]), Err(Error::EmptyBatch { .. })));
    let mut short = Batch::<Flat<3>>::zeros(0);
    let output = Batch::zeros(1);
    let error = NllLoss::new(&labels).evaluate(output.samples(), short.samples_mut());
    assert!(matches!(error, Err(Error::Values { name: "grad", .. })));
    let error = SoftCrossEntropy::new(&soft).evaluate(output.samples(), short.samples_mut());
    assert!(matches!(error, Err(Error::Values { name: "grad", .. })));
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
