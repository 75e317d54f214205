//! A forward pass that waits for its gradient: it is the same as one that has a loss, and two networks in a row learn as the one
//! that is both.

mod common;

use cnn_core::prelude::*;
use cnn_core::shape::Shape;
use cnn_core::train::Forward;

network! {
    /// Draws, and has state.
    pub First<2, 6, 6> { conv: conv2d<4, 3>(padding = 1, bias = false), norm: batch_norm2d, relu, dropout(p = 0.3), max_pool2d<2> }

    /// What comes behind it.
    pub Second<4, 3, 3> { conv: conv2d<6, 3>, norm: batch_norm2d, silu, flatten, fc: linear<3> }

    /// Both.
    pub Both<2, 6, 6> { first: First, second: Second }

    /// Both, with the first without its dropout.
    pub Smooth<2, 6, 6> { conv: conv2d<4, 3>(padding = 1), norm: batch_norm2d, tanh, flatten, fc: linear<3> }

    /// Two inputs.
    pub Pair<a: <3>, b: <2>> { concat { a, [b, linear<2>, tanh] }, linear<4> }
}

fn batch<S: Shape>(samples: usize, seed: u64) -> Batch<S> {
    let mut batch = Batch::zeros(samples);
    batch.values_mut().copy_from_slice(&common::values(samples * S::LEN, seed));
    batch
}

/// What a network learns with a loss, and by its gradient alone: the same bits, of weights, input, state and what is drawn next.
fn same<N: Network>(mode: Mode) -> Result<(), Error> {
    let (input, targets) = (batch(4, 1), batch(4, 2));
    let loss = MeanSquaredError::new(&targets);
    let (mut net, mut other) = (N::new(3), N::new(3));
    let (mut with, mut apart) = (Training::<N>::new(5), Training::<N>::new(5));
    let (mut by_input, mut by_input_apart) = (Batch::zeros(0), Batch::zeros(9));
    for step in 0..3 {
        with.backward_to(mode, &mut net, &input, &loss, &mut by_input)?;
        let forward: Forward<'_, N> = apart.forward(mode, &mut other, &input)?;
        assert_eq!(format!("{forward:?}"), format!("Forward<{}>(4 samples, step {step})", N::NAME));
        let mut gradient = Batch::zeros(4);
        loss.evaluate(forward.output().samples(), gradient.samples_mut())?;
        forward.backward_from_to(&gradient, &mut by_input_apart)?;
        assert_eq!(with.output(), apart.output());
        assert_eq!(with.gradients().values(), apart.gradients().values());
        assert_eq!(by_input, by_input_apart);
        assert!(net.weights() == other.weights());
        assert_eq!((with.step(), apart.step()), (step + 1, step + 1));

        // Nobody has to want the gradient by the input.
        with.backward(mode, &mut net, &input, &loss)?;
        let expected = with.gradients().clone();
        let mut again = Training::<N>::resumed(5, with.step() - 1);
        let forward = again.forward(mode, &mut other, &input)?;
        loss.evaluate(forward.output().samples(), gradient.samples_mut())?;
        forward.backward_from(&gradient)?;
        assert_eq!(expected.values(), again.gradients().values());
        with = Training::resumed(5, step + 1);
    }
    Ok(())
}

#[test]
fn a_loss_and_its_gradient_are_the_same() -> Result<(), Error> {
    for mode in [Mode::Training, Mode::Evaluation] {
        same::<First>(mode)?;
        same::<Second>(mode)?;
        same::<Both>(mode)?;
        same::<Pair>(mode)?;
    }
    Ok(())
}

/// The gradient by the input, beside central differences of the loss.
fn check_input<N: Network>(mode: Mode) -> Result<(), Error> {
    let (input, targets) = (batch::<N::Input>(4, 1), batch(4, 2));
    let loss = MeanSquaredError::new(&targets);
    let mut by_input = Batch::zeros(0);
    Training::new(5).backward_to(mode, &mut N::new(3), &input, &loss, &mut by_input)?;
    // Of a step this long, rounding in f32 and the curvature both are some thousandths of the largest gradient.
    let (step, largest) = (0.01, by_input.values().iter().fold(0.0, |largest: f32, value| largest.max(value.abs())));
    for index in 0..input.values().len() {
        let at = |step: f32| {
            let mut input = input.clone();
            input.values_mut()[index] += step;
            Training::new(5).backward(mode, &mut N::new(3), &input, &loss)
        };
        let expected = (at(step)? - at(-step)?) / (2.0 * step);
        let found = by_input.values()[index];
        assert!((found - expected).abs() < 0.02 * largest, "{} {index}: {found} {expected}", N::NAME);
    }
    Ok(())
}

#[test]
fn gradients_by_inputs_are_those_of_central_differences() -> Result<(), Error> {
    for mode in [Mode::Training, Mode::Evaluation] {
        check_input::<Smooth>(mode)?;
        check_input::<Second>(mode)?;
        check_input::<Pair>(mode)?;
    }
    Ok(())
}

#[test]
fn two_networks_in_a_row_learn_as_the_one_that_is_both() -> Result<(), Error> {
    let (input, targets) = (batch(4, 1), batch(4, 2));
    let (mut both, mut first, mut second) = (Both::new(3), First::new(0), Second::new(0));
    let (one, two) = both.weights().values().split_at(First::PARAMETERS);
    first.weights_mut().values_mut().copy_from_slice(one);
    second.weights_mut().values_mut().copy_from_slice(two);
    let loss = MeanSquaredError::new(&targets);
    // Dropout draws by its place, which is another one in a network of networks.
    let mode = Mode::Evaluation;
    let mut together = Training::new(0);
    together.backward(mode, &mut both, &input, &loss)?;
    let (mut making, mut reading, mut gradient) = (Training::new(0), Training::new(0), Batch::zeros(0));
    let made = making.forward(mode, &mut first, &input)?;
    reading.backward_to(mode, &mut second, made.output(), &loss, &mut gradient)?;
    made.backward_from(&gradient)?;
    let (one, two) = together.gradients().values().split_at(First::PARAMETERS);
    assert_eq!(making.gradients().values(), one);
    assert_eq!(reading.gradients().values(), two);

    // The gradient of a sum is the sum of gradients.
    let sum: Vec<f32> = one.iter().map(|value| value + value).collect();
    let of_first = making.gradients().clone();
    making.gradients_mut().add(&of_first);
    assert_eq!(making.gradients().values(), sum);
    Ok(())
}

#[test]
fn what_cannot_go_forward_or_backward_is_an_error() -> Result<(), Error> {
    let (mut net, mut training) = (First::new(0), Training::new(0));
    let before = net.clone();
    let error = training.forward(Mode::Training, &mut net, &Batch::zeros(0)).unwrap_err();
    assert!(matches!(error, Error::EmptyBatch { .. }), "{error}");
    let three = batch(3, 1);
    let error = training.forward(Mode::Training, &mut net, &three)?.backward_from(&Batch::zeros(2)).unwrap_err();
    assert!(matches!(error, Error::Samples { expected: 3, found: 2 }), "{error}");
    // A batch went through all the same.
    assert_eq!((training.step(), net.weights().counts()), (1, [1].as_slice()));
    assert!(training.gradients().values().iter().all(|value| *value == 0.0));
    assert_eq!(net.weights().values(), before.weights().values());

    let (mut net, mut training) = (Normalized::new(0), Training::new(0));
    let error = training.forward(Mode::Training, &mut net, &batch(1, 1)).unwrap_err();
    assert!(matches!(error, Error::OneValue { .. }), "{error}");
    assert_eq!((training.step(), net.weights().counts()), (0, [0].as_slice()));
    Ok(())
}

network! {
    /// Of one sample a normalization has no variance.
    pub Normalized<4> { linear<3>, batch_norm1d }
}
