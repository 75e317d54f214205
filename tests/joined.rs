//! Activations that the step before them applies make the bits that they make as steps of their own: the same networks with and
//! without a pooling of single values before each.

mod common;

use cnn_core::network::MadeFor;
use cnn_core::prelude::*;

const UPSIDE_DOWN: f64 = -0.5;

network! {
    block normal<C> { conv: conv2d<C, 3>(padding = 1, bias = false), bn: batch_norm2d }

    /// Behind normalizations.
    pub Normal<3, 7, 6> {
        a: normal<5>, hardswish, b: normal<18>, silu, c: normal<6>, gelu, d: normal<20>, gelu(approximate = tanh),
        e: normal<3>, leaky_relu, f: normal<4>, leaky_relu(negative_slope = -0.5),
        g: [conv: conv2d<7, 1>(bias = false), bn: batch_norm2d(affine = false)], silu,
        j: [conv: conv2d<40, 1>(bias = false), bn: batch_norm2d(track_running_stats = false)], hardswish,
        k: normal<70>, leaky_relu(negative_slope = UPSIDE_DOWN), adaptive_avg_pool2d<1>, flatten, fc: linear<3>,
    }

    /// The same apart.
    pub NormalApart<3, 7, 6> {
        a: normal<5>, max_pool2d<1>, hardswish, b: normal<18>, max_pool2d<1>, silu, c: normal<6>, max_pool2d<1>, gelu,
        d: normal<20>, max_pool2d<1>, gelu(approximate = tanh), e: normal<3>, max_pool2d<1>, leaky_relu,
        f: normal<4>, max_pool2d<1>, leaky_relu(negative_slope = -0.5),
        g: [conv: conv2d<7, 1>(bias = false), bn: batch_norm2d(affine = false)], max_pool2d<1>, silu,
        j: [conv: conv2d<40, 1>(bias = false), bn: batch_norm2d(track_running_stats = false)], max_pool2d<1>, hardswish,
        k: normal<70>, max_pool2d<1>, leaky_relu(negative_slope = UPSIDE_DOWN), adaptive_avg_pool2d<1>, flatten, fc: linear<3>,
    }

    /// Behind normalizations those whose slopes are told from results where they are apart, which is rounded otherwise.
    pub Told<3, 7, 6> { a: normal<5>, sigmoid, b: normal<18>, tanh, c: normal<6>, hardsigmoid, flatten, fc: linear<3> }

    /// The same apart.
    pub ToldApart<3, 7, 6> {
        a: normal<5>, max_pool2d<1>, sigmoid, b: normal<18>, max_pool2d<1>, tanh, c: normal<6>, max_pool2d<1>, hardsigmoid,
        flatten, fc: linear<3>,
    }

    /// Behind products and sums, of which all slopes but two are told from results.
    pub Products<3, 8, 8> {
        a: conv2d<6, 3>, leaky_relu, b: conv2d<40, 3>(padding = 1, algorithm = winograd), tanh,
        c: conv2d<channels, 3>(groups = channels, padding = 1), sigmoid, d: conv_transpose2d<7, 3>(stride = 2), hardsigmoid,
        add { e: conv2d<7, 1>, [] }, hardsigmoid, add { f: conv2d<7, 3>(padding = 1), [] }, leaky_relu, dropout(p = 0.0),
        concat { g: [conv2d<3, 1>, sigmoid], h: [conv2d<4, 1>, tanh] },
        add { i: conv2d<7, 1>, [] }, gelu, j: conv2d<20, 1>, hardswish, flatten, k: linear<24>, tanh, l: linear<3>, sigmoid,
    }

    /// The same apart.
    pub ProductsApart<3, 8, 8> {
        a: conv2d<6, 3>, max_pool2d<1>, leaky_relu,
        b: conv2d<40, 3>(padding = 1, algorithm = winograd), max_pool2d<1>, tanh,
        c: conv2d<channels, 3>(groups = channels, padding = 1), max_pool2d<1>, sigmoid,
        d: conv_transpose2d<7, 3>(stride = 2), max_pool2d<1>, hardsigmoid,
        add { e: conv2d<7, 1>, [] }, max_pool2d<1>, hardsigmoid, add { f: conv2d<7, 3>(padding = 1), [] }, max_pool2d<1>,
        leaky_relu, dropout(p = 0.0),
        concat { g: [conv2d<3, 1>, max_pool2d<1>, sigmoid], h: [conv2d<4, 1>, max_pool2d<1>, tanh] },
        add { i: conv2d<7, 1>, [] }, max_pool2d<1>, gelu, j: conv2d<20, 1>, max_pool2d<1>, hardswish, flatten,
        k: linear<24>, dropout(p = 0.0), tanh, l: linear<3>, dropout(p = 0.0), sigmoid,
    }
}

/// The output, the gradients and the state after a step in this mode, and what predictors make: with a weight that is this.
fn made<N: Network>(mode: Mode, special: Option<(usize, f32)>) -> Result<[Vec<f32>; 6], Error> {
    let samples = 3;
    let mut net = N::new(7);
    let weights = net.weights_mut().values_mut();
    // Both networks have the same, which are drawn by the steps' numbers otherwise.
    let drawn = common::values(weights.len(), 3);
    weights.iter_mut().zip(drawn).for_each(|(value, drawn)| *value = 0.5 * drawn);
    if let Some((place, special)) = special {
        let place = place * weights.len() / 16;
        weights[place] = special;
    }
    let input = Batch::from_nchw(&common::values(samples * <N::Input as cnn_core::shape::Shape>::LEN, 1))?;
    let mut training = Training::new(0);
    let loss = training.backward(mode, &mut net, &input, &MeanSquaredError::new(&Batch::zeros(samples)));
    assert!(loss.is_ok() || special.is_some(), "{loss:?}");
    let [mut one, mut many] = [Batch::zeros(0), Batch::zeros(0)];
    net.freeze_for(MadeFor::OneSample).predict_batch(&input, &mut one);
    net.freeze_for(MadeFor::Batches).predict_batch(&input, &mut many);
    let (output, gradients) = (training.output().values(), training.gradients().values());
    let (forward, state) = (net.forward(&input), net.weights().state());
    Ok([gradients, output, state, forward.values(), one.values(), many.values()].map(<[f32]>::to_vec))
}

/// Both networks make the same, gradients maybe but for rounding.
fn same<Joined: Network, Apart: Network>(mode: Mode, special: Option<(usize, f32)>, exact: bool) -> Result<(), Error> {
    let (joined, apart) = (made::<Joined>(mode, special)?, made::<Apart>(mode, special)?);
    for (part, (joined, apart)) in joined.iter().zip(&apart).enumerate() {
        let near = if exact || part > 0 { 0.0 } else { 1e-5 };
        for (joined, apart) in joined.iter().zip(apart) {
            let same = joined == apart || joined.is_nan() && apart.is_nan() || (joined - apart).abs() < near;
            assert!(same, "{}, {mode:?}, {special:?}, part {part}: {joined}, not {apart}", Joined::NAME);
        }
    }
    Ok(())
}

fn compare<Joined: Network, Apart: Network>(exact: bool) -> Result<(), Error> {
    for mode in [Mode::Training, Mode::Evaluation] {
        same::<Joined, Apart>(mode, None, exact)?;
        for place in 0..16 {
            for special in [f32::INFINITY, f32::NAN] {
                same::<Joined, Apart>(mode, Some((place, special)), exact)?;
            }
        }
    }
    Ok(())
}

#[test]
fn behind_a_normalization() -> Result<(), Error> {
    compare::<Normal, NormalApart>(true)?;
    compare::<Told, ToldApart>(false)
}

#[test]
fn behind_products_and_sums() -> Result<(), Error> {
    compare::<Products, ProductsApart>(true)
}

#[test]
fn as_the_reference_has_it() -> Result<(), Error> {
    common::check_both::<Normal>(4, 200)?;
    common::check_both::<Told>(4, 300)?;
    common::check_both::<Products>(2, 300)
}

/// What was between a normalization and its activation has no memory any more.
#[test]
fn a_map_less_is_kept() {
    network! {
        /// Joined.
        pub Two<8, 16, 16> { batch_norm2d, hardswish, adaptive_avg_pool2d<1>, flatten, linear<2> }

        /// Apart.
        pub Three<8, 16, 16> { batch_norm2d, avg_pool2d<1>, hardswish, adaptive_avg_pool2d<1>, flatten, linear<2> }
    }
    const { assert!(Two::MEMORY.training + 8 * 16 * 16 <= Three::MEMORY.training) };
}
