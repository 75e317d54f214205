//! Optimizers give what PyTorch gives, and what their formulas give in `f64`.
//!
//! The constants are PyTorch 2.15.0's; `fixtures/optim.py` makes them.

use cnn_core::optim::{
    AdagradOptions, AdamOptions, InvalidOption, LambOptions, RmsPropOptions, Rule, SgdOptions, clip_grad_norm,
    clip_grad_value,
};
use proptest::prelude::*;

const PARAMETERS: [f32; 4] = [1.0, -0.5, 0.25, 2.0];
const GRADIENTS: [[f32; 4]; 4] =
    [[0.5, -1.0, 0.25, 0.0], [-0.25, 0.5, 1.5, -2.0], [0.125, 0.75, -0.5, 1.0], [1.0, -0.25, 0.0, 0.5]];

/// PyTorch fuses multiplications and additions, which rounds differently in the last digit.
fn assert_close(found: &[f32], expected: &[f64], what: &dyn core::fmt::Debug) {
    assert_eq!(found.len(), expected.len());
    for (&found, &expected) in found.iter().zip(expected) {
        let bound = 1e-6 * (1.0 + expected.abs());
        assert!((f64::from(found) - expected).abs() < bound, "{what:?}: {found}, expected {expected}");
    }
}

#[test]
fn sgd_steps_as_pytorch() {
    let plain = SgdOptions::new(0.1);
    let momentum = plain.momentum(0.9);
    for (options, expected) in [
        (plain, [0.86249995, -0.50000006, 0.124999985, 2.0500002]),
        (plain.weight_decay(0.01), [0.8586184, -0.49812776, 0.12432628, 2.0417123]),
        (momentum, [0.77205, -0.40910003, -0.14747502, 2.302]),
        (momentum.dampening(0.5).weight_decay(0.01), [0.7940168, -0.27986598, 0.0069582574, 2.1383584]),
        (momentum.nesterov(true).weight_decay(0.01), [0.64604217, -0.4133881, -0.2338822, 2.295883]),
    ] {
        let (mut parameters, mut buffer) = (PARAMETERS, [0.0; 4]);
        for (step, gradient) in (1..).zip(&GRADIENTS) {
            options.step(step, &mut parameters, gradient, &mut [&mut buffer]).unwrap();
        }
        assert_close(&parameters, &expected, &options);
    }
}

#[test]
fn adam_steps_as_pytorch() {
    for (options, expected) in [
        (AdamOptions::new(0.1), [0.77503425, -0.3961743, -0.0108544305, 2.1028624]),
        (
            AdamOptions::new(0.1).betas([0.8, 0.95]).eps(1e-3).weight_decay(0.1),
            [0.7316443, -0.39735752, -0.006611306, 1.956972],
        ),
        (AdamOptions::adamw(0.1), [0.7714272, -0.39451173, -0.01134244, 2.0947027]),
        (
            AdamOptions::adamw(0.1).betas([0.5, 0.9]).weight_decay(0.1),
            [0.74723536, -0.44862318, 0.016980497, 1.9876549],
        ),
    ] {
        let (mut parameters, mut exp_avg, mut exp_avg_sq) = (PARAMETERS, [0.0; 4], [0.0; 4]);
        for (step, gradient) in (1..).zip(&GRADIENTS) {
            options.step(step, &mut parameters, gradient, &mut [&mut exp_avg, &mut exp_avg_sq]).unwrap();
        }
        assert_close(&parameters, &expected, &options);
    }
}

/// One parameter's way through `gradients`, as the box on PyTorch's page of SGD has it.
fn sgd_in_f64(options: SgdOptions, mut parameter: f64, gradients: &[f64]) -> f64 {
    let mut buffer = None;
    for gradient in gradients {
        let mut gradient = gradient + options.weight_decay * parameter;
        if options.momentum != 0.0 {
            let next = match buffer {
                None => gradient,
                Some(buffer) => options.momentum * buffer + (1.0 - options.dampening) * gradient,
            };
            buffer = Some(next);
            gradient = if options.nesterov { gradient + options.momentum * next } else { next };
        }
        parameter -= options.lr * gradient;
    }
    parameter
}

/// One parameter's way through `gradients`, as the boxes on PyTorch's pages of Adam and AdamW have it.
fn adam_in_f64(options: AdamOptions, mut parameter: f64, gradients: &[f64]) -> f64 {
    let [beta1, beta2] = options.betas;
    let (mut mean, mut mean_square) = (0.0, 0.0);
    for (step, &gradient) in (1..).zip(gradients) {
        let mut gradient = gradient;
        if options.decoupled_weight_decay {
            parameter -= options.lr * options.weight_decay * parameter;
        } else {
            gradient += options.weight_decay * parameter;
        }
        mean = beta1 * mean + (1.0 - beta1) * gradient;
        mean_square = beta2 * mean_square + (1.0 - beta2) * gradient * gradient;
        let corrected_mean = mean / (1.0 - beta1.powi(step));
        let corrected_mean_square: f64 = mean_square / (1.0 - beta2.powi(step));
        parameter -= options.lr * corrected_mean / (corrected_mean_square.sqrt() + options.eps);
    }
    parameter
}

/// A parameter and up to 20 gradients of it. In Adam a gradient near zero moves the parameter by the learning rate in the
/// direction of its rounding errors, so none is.
fn course() -> impl Strategy<Value = (f32, Vec<f32>)> {
    let gradient = prop_oneof![-2.0_f32..-0.1, 0.1_f32..2.0];
    (-2.0_f32..2.0, prop::collection::vec(gradient, 1..20))
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| f64::from(x)).collect()
}

proptest! {
    #[test]
    fn sgd_follows_its_formula(
        (start, gradients) in course(),
        (lr, momentum, dampening, weight_decay) in (0.0..0.1, 0.0..0.95, 0.0..1.0, 0.0..0.1),
        variant in 0..3,
    ) {
        let options = SgdOptions::new(lr).weight_decay(weight_decay);
        let options = match variant {
            0 => options,
            1 => options.momentum(momentum).dampening(dampening),
            _ => options.momentum(momentum.max(0.1)).nesterov(true),
        };
        prop_assert_eq!(options.validate(), Ok(()));
        let (mut parameter, mut buffer) = ([start], vec![0.0; usize::from(options.has_momentum())]);
        for (step, &gradient) in (1..).zip(&gradients) {
            options.step(step, &mut parameter, &[gradient], &mut [&mut buffer]).unwrap();
        }
        // Twenty steps of values up to 20 lose a few last digits.
        let expected = sgd_in_f64(options, f64::from(start), &wide(&gradients));
        prop_assert!((f64::from(parameter[0]) - expected).abs() < 2e-5, "{} {expected}", parameter[0]);
    }

    #[test]
    fn adam_follows_its_formula(
        (start, gradients) in course(),
        (lr, beta1, beta2, weight_decay) in (0.0..0.1, 0.0..0.95, 0.5..0.9999, 0.0..0.01),
        decoupled_weight_decay in any::<bool>(),
    ) {
        let options = AdamOptions::new(lr).betas([beta1, beta2]).weight_decay(weight_decay);
        let options = AdamOptions { decoupled_weight_decay, ..options };
        prop_assert_eq!(options.validate(), Ok(()));
        let (mut parameter, mut exp_avg, mut exp_avg_sq) = ([start], [0.0], [0.0]);
        for (step, &gradient) in (1..).zip(&gradients) {
            options.step(step, &mut parameter, &[gradient], &mut [&mut exp_avg, &mut exp_avg_sq]).unwrap();
        }
        let expected = adam_in_f64(options, f64::from(start), &wide(&gradients));
        prop_assert!((f64::from(parameter[0]) - expected).abs() < 2e-5, "{} {expected}", parameter[0]);
    }
}

#[test]
fn the_same_bits_come_from_any_place_in_a_long_slice() {
    // Longer than what one thread takes, and no multiple of any vector.
    let len = 1_000_003;
    let value = |i: usize| PARAMETERS[i % 4];
    let options = AdamOptions::adamw(0.1);
    let mut parameters: Vec<f32> = (0..len).map(value).collect();
    let (mut exp_avg, mut exp_avg_sq) = (vec![0.0; len], vec![0.0; len]);
    let (mut few, mut few_avg, mut few_avg_sq) = (PARAMETERS, [0.0; 4], [0.0; 4]);
    for (step, gradient) in (1..).zip(&GRADIENTS) {
        let gradients: Vec<f32> = (0..len).map(|i| gradient[i % 4]).collect();
        options.step(step, &mut parameters, &gradients, &mut [&mut exp_avg, &mut exp_avg_sq]).unwrap();
        options.step(step, &mut few, gradient, &mut [&mut few_avg, &mut few_avg_sq]).unwrap();
    }
    assert!(parameters.iter().enumerate().all(|(i, &parameter)| parameter == few[i % 4]));
}

#[test]
fn defaults_are_pytorchs() {
    let sgd =
        SgdOptions { lr: 1e-3, momentum: 0.0, dampening: 0.0, weight_decay: 0.0, nesterov: false, maximize: false };
    assert_eq!(SgdOptions::default(), sgd);
    let adam = AdamOptions {
        lr: 1e-3,
        betas: [0.9, 0.999],
        eps: 1e-8,
        weight_decay: 0.0,
        decoupled_weight_decay: false,
        amsgrad: false,
        maximize: false,
    };
    assert_eq!(AdamOptions::default(), adam);
    let adamw = AdamOptions { weight_decay: 1e-2, decoupled_weight_decay: true, ..adam };
    assert_eq!(AdamOptions::adamw(1e-3), adamw);
}

#[test]
fn gradients_are_clipped_as_pytorchs() {
    let start = [3.0, -4.0, 0.0, 12.0];
    for (max_norm, expected) in [
        (1.0, [0.23076921701431274, -0.307692289352417, 0.0, 0.923076868057251]),
        (12.5, [2.884615421295166, -3.846153736114502, 0.0, 11.538461685180664]),
        (13.0, [2.999999761581421, -3.999999761581421, 0.0, 11.999999046325684]),
        (20.0, [3.0, -4.0, 0.0, 12.0]),
        (0.0, [0.0, 0.0, 0.0, 0.0]),
    ] {
        let mut gradient = start;
        assert_eq!(clip_grad_norm(&mut gradient, max_norm), Ok(13.0));
        assert_close(&gradient, &expected, &max_norm);
    }
    let mut zeros = [0.0; 3];
    assert_eq!((clip_grad_norm(&mut zeros, 1.0), zeros), (Ok(0.0), [0.0; 3]));
    let mut large = [f32::MAX; 4];
    let norm = clip_grad_norm(&mut large, 1.0).unwrap();
    assert_eq!(norm, 2.0 * f64::from(f32::MAX));
    assert_close(&large, &[0.5; 4], &"large");
    for bad in [f32::NAN, f32::INFINITY] {
        assert!(!clip_grad_norm(&mut [1.0, bad], 1.0).unwrap().is_finite());
    }
}

/// What `clip_grad_norm_` makes of the same numbers in `f64`, rounded.
#[test]
fn a_factor_may_be_smaller_than_f32_has_digits_for() {
    for (start, max_norm, expected) in [
        ([3e38, 0.0], 1e-6, [1e-6, 0.0]),
        ([3e38, -3e38], 1e-6, [7.071068e-7, -7.071068e-7]),
        // Longer than the longest f32.
        ([f32::MAX, f32::MAX], 1e-38, [7.071068e-39, 7.071068e-39]),
        ([1.0, 0.5], 1e-44, [8.4e-45, 4.2e-45]),
        // The 1e-6 of PyTorch's formula counts for more than the length.
        ([1e-8, 0.0], 1e-7, [9.900_99e-10, 0.0]),
        ([1e-40, 0.0], 1e-45, [0.0, 0.0]),
    ] {
        let mut gradient = start;
        clip_grad_norm(&mut gradient, max_norm).unwrap();
        assert_eq!(gradient, expected, "{start:?} to {max_norm}");
    }
}

/// Any size that `f32` has, subnormal ones too.
fn magnitude() -> impl Strategy<Value = f32> {
    (-149.0..128.0_f32).prop_map(f32::exp2)
}

proptest! {
    #[test]
    fn a_clipped_gradient_has_the_length_of_its_formula(
        size in magnitude(),
        shares in prop::collection::vec(-1.0_f32..1.0, 1..20),
        max_norm in magnitude(),
    ) {
        let length = |values: &[f32]| wide(values).iter().map(|x| x * x).sum::<f64>().sqrt();
        let start: Vec<f32> = shares.iter().map(|share| share * size).collect();
        let (norm, max_norm) = (length(&start), f64::from(max_norm));
        let mut clipped = start.clone();
        let told = clip_grad_norm(&mut clipped, max_norm).unwrap();
        prop_assert!((told - norm).abs() <= 1e-12 * norm, "{told} {norm}");
        let factor = max_norm / (norm + 1e-6);
        if factor >= 1.0 {
            prop_assert_eq!(clipped, start);
        } else {
            // Each value is rounded once: to 24 bits, or to the least number.
            let bound = 2_f64.powi(-24) * norm * factor + (start.len() as f64).sqrt() * 2_f64.powi(-150);
            prop_assert!((length(&clipped) - norm * factor).abs() <= bound * 1.001, "{start:?} {clipped:?}");
        }
    }
}

#[test]
fn a_long_gradient_has_the_same_length_on_any_number_of_threads() {
    let gradient: Vec<f32> = (0..1_000_003).map(|i| (i % 1009 * 7919 % 1009) as f32 / 331.0).collect();
    let expected = gradient.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
    let results = [1, 2, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut clipped = gradient.clone();
        let norm = pool.install(|| clip_grad_norm(&mut clipped, 1.0)).unwrap();
        assert!((norm - expected).abs() < 1e-9 * expected);
        (norm.to_bits(), clipped)
    });
    assert!(results[0] == results[1] && results[0] == results[2]);
    let after = results[0].1.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
    assert!((after - 1.0).abs() < 1e-6, "{after}");
}

#[test]
fn what_has_no_gradient_goes_on_by_its_momentum() {
    let (mut parameter, mut momentum) = ([1.0], [0.0]);
    let options = SgdOptions::new(0.1).momentum(0.9);
    // PyTorch with gradients of zeros; with `grad = None` it stays at 0.9.
    for (step, gradient, expected) in [(1, 1.0, 0.9), (2, 0.0, 0.81), (3, 0.0, 0.729)] {
        options.step(step, &mut parameter, &[gradient], &mut [&mut momentum]).unwrap();
        assert_close(&parameter, &[expected], &step);
    }
}

/// On threads of a pool too, whose modes nobody has changed either.
#[test]
fn subnormal_numbers_are_kept_exactly() {
    let len = 1_000_003;
    // Multiples of the least number, small enough to be told apart.
    let tiny = |multiple: u32| f32::from_bits(multiple);
    let mut parameters = vec![tiny(1000); len];
    SgdOptions::new(1.0).step(1, &mut parameters, &vec![tiny(1); len], &mut []).unwrap();
    assert!(parameters.iter().all(|&parameter| parameter == tiny(999)));

    let (mut exp_avg, mut exp_avg_sq) = (vec![tiny(10); len], vec![tiny(1_000_000); len]);
    AdamOptions::new(0.1).step(9, &mut parameters, &vec![0.0; len], &mut [&mut exp_avg, &mut exp_avg_sq]).unwrap();
    assert!(exp_avg.iter().all(|&mean| mean == tiny(9)));
    assert!(exp_avg_sq.iter().all(|&mean_square| mean_square == tiny(999_000)));

    // The mean of a gradient that is zero for good stops falling before it is zero.
    let (mut parameter, mut exp_avg, mut exp_avg_sq) = ([0.0], [1.0], [1.0]);
    for step in 2..2000 {
        AdamOptions::new(0.0).step(step, &mut parameter, &[0.0], &mut [&mut exp_avg, &mut exp_avg_sq]).unwrap();
        assert_eq!(exp_avg[0].is_subnormal(), step > 829, "step {step}");
    }
    assert_eq!(exp_avg, [tiny(4)]);

    let mut gradient = vec![tiny(4); len];
    let norm = clip_grad_norm(&mut gradient, 1.0).unwrap();
    assert!((norm / (f64::from(tiny(4)) * (len as f64).sqrt()) - 1.0).abs() < 1e-9);
    assert!(gradient.iter().all(|&value| value == tiny(4)));
}

/// Fifty steps, of gradients that depend on where the parameters are.
fn course_of<R: Rule>(options: R) -> Vec<f32> {
    let mut parameters: Vec<f32> = (0..6).map(|index| (1.3 * f64::from(index)).cos() as f32).collect();
    let mut kept = vec![vec![options.initial(); 6]; options.kept()];
    for step in 0..50 {
        let wave = |index: usize| (0.5 * (0.7 * step as f64 + index as f64).sin()) as f32;
        let gradient: Vec<f32> = parameters.iter().enumerate().map(|(index, x)| wave(index) + 0.25 * x).collect();
        let mut kept: Vec<&mut [f32]> = kept.iter_mut().map(Vec::as_mut_slice).collect();
        options.step(step + 1, &mut parameters, &gradient, &mut kept).unwrap();
    }
    parameters
}

fn assert_course_of<R: Rule>(options: R, expected: [f64; 6]) {
    for (found, expected) in course_of(options).into_iter().zip(expected) {
        // Fifty steps of rounding, where the direction is divided by a small root.
        assert!((f64::from(found) - expected).abs() < 1e-5, "{options:?}: {found}, expected {expected}");
    }
}

#[test]
fn fifty_steps_go_as_pytorchs() {
    let sgd = SgdOptions::new(0.05);
    assert_course_of(sgd, [0.47821766, 0.11093884, -0.43615031, -0.33298096, 0.2874991, 0.50736517]);
    let momentum = sgd.momentum(0.9).weight_decay(0.02);
    #[rustfmt::skip]
    assert_course_of(momentum.dampening(0.1), [-0.01574849, -0.035809681, -0.021525197, 0.0079930807, 0.026302505, 0.022920772]);
    #[rustfmt::skip]
    assert_course_of(momentum.nesterov(true), [-0.046194203, -0.056752753, -0.016088167, 0.042427111, 0.064526886, 0.025628202]);
    let up = SgdOptions::new(0.005).momentum(0.8).weight_decay(0.02).maximize(true);
    assert_course_of(up, [1.3208605, 0.37054375, -1.1095265, -0.96382594, 0.58112496, 1.2606291]);

    let adam = AdamOptions::new(0.02);
    assert_course_of(adam, [0.48632869, 0.076344162, -0.46193409, -0.31474465, 0.29799223, 0.5440231]);
    let largest = adam.betas([0.8, 0.95]).weight_decay(0.1).amsgrad(true);
    assert_course_of(largest, [0.43698308, 0.064499117, -0.39546293, -0.27297568, 0.23860134, 0.47209513]);
    let up = AdamOptions::new(0.01).maximize(true);
    assert_course_of(up, [1.3369303, 0.42245227, -1.1104469, -1.0142151, 0.56238991, 1.2484962]);
    let adamw = AdamOptions::adamw(0.02);
    let decayed = adamw.weight_decay(0.1);
    assert_course_of(decayed, [0.43230343, 0.06683515, -0.41162536, -0.27946022, 0.26699162, 0.48481593]);
    let largest = adamw.amsgrad(true).betas([0.7, 0.9]);
    assert_course_of(largest, [0.52509207, 0.093308046, -0.49182752, -0.34650221, 0.30632952, 0.57696819]);

    let rmsprop = RmsPropOptions::default();
    assert_course_of(rmsprop, [0.3578552, 0.048076101, -0.38229027, -0.19017033, 0.30590594, 0.45903859]);
    let decayed = RmsPropOptions::new(0.02).alpha(0.9).eps(1e-4).weight_decay(0.1);
    assert_course_of(decayed, [0.34397939, 0.053860217, -0.32075664, -0.1944716, 0.24079919, 0.38792083]);
    let momentum = RmsPropOptions::new(0.005).alpha(0.9).momentum(0.8);
    assert_course_of(momentum, [0.36569571, 0.050060473, -0.38087672, -0.21612158, 0.27648646, 0.45108852]);
    let centered = rmsprop.centered(true).weight_decay(0.05);
    assert_course_of(centered, [0.31201902, 0.038733937, -0.31988966, -0.16132051, 0.26333568, 0.38670743]);
    let up = RmsPropOptions::new(0.002).alpha(0.95).centered(true).momentum(0.9).maximize(true);
    assert_course_of(up, [2.1236308, 0.72872347, -1.6183445, -1.7172529, 0.63754725, 1.8007298]);

    let adagrad = AdagradOptions::default();
    assert_course_of(adagrad, [0.91810334, 0.23490921, -0.79835343, -0.65317583, 0.45200872, 0.91381222]);
    let falling = AdagradOptions::new(0.1).lr_decay(0.02).weight_decay(0.1).initial_accumulator_value(0.5).eps(1e-6);
    assert_course_of(falling, [0.49471003, 0.09028855, -0.43386135, -0.32158118, 0.27477404, 0.51305026]);
    let up = AdagradOptions::new(0.05).maximize(true);
    assert_course_of(up, [1.4800609, 0.48607403, -1.1987104, -1.1702154, 0.54876339, 1.3383652]);
}

/// The paper's algorithm in f64.
#[test]
fn lamb_follows_its_formula() {
    let options = LambOptions::new(0.05).weight_decay(0.1);
    let mut parameters: Vec<f64> = (0..6).map(|index| (1.3 * f64::from(index)).cos()).collect();
    let (mut mean, mut square) = ([0.0; 6], [0.0; 6]);
    let length = |values: &[f64]| values.iter().map(|x| x * x).sum::<f64>().sqrt();
    for step in 0..50 {
        let mut update = [0.0; 6];
        for index in 0..6 {
            let gradient = 0.5 * (0.7 * f64::from(step) + index as f64).sin() + 0.25 * parameters[index];
            mean[index] = 0.9 * mean[index] + 0.1 * gradient;
            square[index] = 0.999 * square[index] + 0.001 * gradient * gradient;
            let corrected = |mean: f64, beta: f64| mean / (1.0 - beta.powi(step + 1));
            let root = corrected(square[index], 0.999).sqrt();
            update[index] = corrected(mean[index], 0.9) / (root + 1e-6) + 0.1 * parameters[index];
        }
        let trust = length(&parameters) / length(&update);
        parameters.iter_mut().zip(update).for_each(|(x, update)| *x -= 0.05 * trust * update);
    }
    assert_course_of(options, parameters.try_into().unwrap());
    // Weights of zeros, and a gradient of zeros, are no division by zero.
    let (mut zeros, mut means, mut squares) = ([0.0; 3], [0.0; 3], [0.0; 3]);
    options.step(1, &mut zeros, &[0.0; 3], &mut [&mut means, &mut squares]).unwrap();
    assert_eq!(zeros, [0.0; 3]);
    options.step(2, &mut zeros, &[1.0; 3], &mut [&mut means, &mut squares]).unwrap();
    assert!(zeros.iter().all(|x| x.is_finite() && *x < 0.0), "{zeros:?}");
}

/// One tensor of more values than a piece has.
#[test]
fn lamb_has_the_same_bits_on_any_number_of_threads() {
    let len = 1_000_003;
    let gradient: Vec<f32> = (0..len).map(|i| (i % 1009 * 7919 % 1009) as f32 / 331.0 - 1.0).collect();
    let results = [1, 2, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let (mut parameters, mut means, mut squares) = (gradient.clone(), vec![0.0; len], vec![0.0; len]);
        let step = || LambOptions::new(0.1).step(1, &mut parameters, &gradient, &mut [&mut means, &mut squares]);
        pool.install(step).unwrap();
        parameters
    });
    assert!(results[0] == results[1] && results[0] == results[2]);
}

#[test]
fn values_are_clipped_as_pytorchs() {
    let start = [3.0, -4.0, 0.0, 12.0, f32::NEG_INFINITY, f32::NAN];
    for (clip_value, expected) in [(5.0, [3.0, -4.0, 0.0, 5.0, -5.0]), (0.0, [0.0; 5])] {
        let mut gradient = start;
        clip_grad_value(&mut gradient, clip_value).unwrap();
        assert_eq!(gradient[..5], expected);
        assert!(gradient[5].is_nan());
    }
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(clip_grad_value(&mut [1.0], bad), Err(InvalidOption::ClipValue(_))));
    }
}

#[test]
fn what_an_optimizer_keeps_has_to_be_there() {
    let error = RmsPropOptions::default().step(1, &mut [1.0], &[1.0], &mut []).unwrap_err();
    assert_eq!(error, InvalidOption::Length { name: "square_avg", expected: 1, found: 0 });
    let error = AdamOptions::new(0.1).amsgrad(true).step(1, &mut [1.0], &[1.0], &mut [&mut [0.0], &mut [0.0]]);
    assert_eq!(error.unwrap_err(), InvalidOption::Length { name: "max_exp_avg_sq", expected: 1, found: 0 });
    for alpha in [1.0, -0.1, f64::NAN] {
        assert!(matches!(RmsPropOptions::new(0.1).alpha(alpha).validate(), Err(InvalidOption::Alpha(_))));
    }
    for bad in [-1.0, f64::NAN] {
        assert!(AdagradOptions::new(0.1).lr_decay(bad).validate().is_err());
        assert!(AdagradOptions::new(0.1).initial_accumulator_value(bad).validate().is_err());
        assert!(LambOptions::new(0.1).eps(bad).validate().is_err());
        assert!(LambOptions::new(bad).validate().is_err());
    }
}
