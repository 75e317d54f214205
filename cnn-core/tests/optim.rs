//! Optimizers and schedules give what PyTorch gives, and what their formulas give in `f64`.
//!
//! The constants are PyTorch 2.15.0's; `fixtures/optim.py` makes them.

use cnn_core::optim::schedule::{CosineAnnealingLr, OneCycleLr, StepLr};
use cnn_core::optim::{AdamOptions, InvalidOption, SgdOptions, clip_grad_norm};
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
            options.step(step, &mut parameters, gradient, &mut buffer).unwrap();
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
            options.step(step, &mut parameters, gradient, &mut exp_avg, &mut exp_avg_sq).unwrap();
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
            options.step(step, &mut parameter, &[gradient], &mut buffer).unwrap();
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
            options.step(step, &mut parameter, &[gradient], &mut exp_avg, &mut exp_avg_sq).unwrap();
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
        options.step(step, &mut parameters, &gradients, &mut exp_avg, &mut exp_avg_sq).unwrap();
        options.step(step, &mut few, gradient, &mut few_avg, &mut few_avg_sq).unwrap();
    }
    assert!(parameters.iter().enumerate().all(|(i, &parameter)| parameter == few[i % 4]));
}

#[test]
fn defaults_are_pytorchs() {
    let sgd = SgdOptions { lr: 1e-3, momentum: 0.0, dampening: 0.0, weight_decay: 0.0, nesterov: false };
    assert_eq!(SgdOptions::default(), sgd);
    let adam =
        AdamOptions { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0.0, decoupled_weight_decay: false };
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

fn assert_course(rate: impl Fn(u64) -> Result<f64, InvalidOption>, expected: &[f64]) {
    for (step, &expected) in (0..).zip(expected) {
        let found = rate(step).unwrap();
        assert!((found - expected).abs() < 1e-12, "step {step}: {found}, expected {expected}");
    }
}

#[test]
fn schedules_go_as_pytorchs() {
    let steps = StepLr { lr: 0.1, step_size: 3, gamma: 0.5 };
    assert_course(|step| steps.lr(step), &[0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025]);

    let cosine = CosineAnnealingLr { lr: 0.1, t_max: 5, eta_min: 0.01 };
    let down = [0.1, 0.09140576474687263, 0.06890576474687263, 0.04109423525312736, 0.018594235253127367, 0.01];
    assert_course(|step| cosine.lr(step), &down);
    assert_course(|step| cosine.lr(step + 5), &[0.01, 0.018594235253127367, 0.04109423525312739]);

    let cycle = OneCycleLr::new(1.0, 10);
    #[rustfmt::skip]
    assert_course(|step| cycle.lr(step), &[
        0.04, 0.52, 1.0, 0.9504846320134737, 0.8117456539497631, 0.6112620219362893, 0.38874197806371075,
        0.18825834605023697, 0.049519367986526286, 4e-6, 4e-6,
    ]);
    #[rustfmt::skip]
    assert_course(|step| cycle.momentum(step), &[
        0.95, 0.9, 0.85, 0.854951556604879, 0.8688255099070633, 0.8888739533021842, 0.9111260466978157,
        0.9311744900929366, 0.945048443395121, 0.95, 0.95,
    ]);

    // The top lies between two steps.
    let cycle = OneCycleLr { pct_start: 0.25, div_factor: 10.0, final_div_factor: 100.0, ..OneCycleLr::new(0.5, 7) };
    #[rustfmt::skip]
    assert_course(|step| cycle.lr(step), &[
        0.05, 0.49721049884972585, 0.4333297049894991, 0.3058246032555895, 0.15900607916449283, 0.04389686611458033,
        0.0005,
    ]);
}

#[test]
fn a_cycle_of_few_steps_has_no_holes() {
    for total_steps in 1..=5 {
        for pct_start in [0.0, 0.2, 0.5, 1.0] {
            let cycle = OneCycleLr { pct_start, ..OneCycleLr::new(1.0, total_steps) };
            assert!((0..=total_steps).all(|step| (0.0..=1.0).contains(&cycle.lr(step).unwrap())), "{cycle:?}");
        }
    }
}

#[test]
fn what_has_no_gradient_goes_on_by_its_momentum() {
    let (mut parameter, mut momentum) = ([1.0], [0.0]);
    let options = SgdOptions::new(0.1).momentum(0.9);
    // PyTorch with gradients of zeros; with `grad = None` it stays at 0.9.
    for (step, gradient, expected) in [(1, 1.0, 0.9), (2, 0.0, 0.81), (3, 0.0, 0.729)] {
        options.step(step, &mut parameter, &[gradient], &mut momentum).unwrap();
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
    AdamOptions::new(0.1).step(9, &mut parameters, &vec![0.0; len], &mut exp_avg, &mut exp_avg_sq).unwrap();
    assert!(exp_avg.iter().all(|&mean| mean == tiny(9)));
    assert!(exp_avg_sq.iter().all(|&mean_square| mean_square == tiny(999_000)));

    // The mean of a gradient that is zero for good stops falling before it is zero.
    let (mut parameter, mut exp_avg, mut exp_avg_sq) = ([0.0], [1.0], [1.0]);
    for step in 2..2000 {
        AdamOptions::new(0.0).step(step, &mut parameter, &[0.0], &mut exp_avg, &mut exp_avg_sq).unwrap();
        assert_eq!(exp_avg[0].is_subnormal(), step > 829, "step {step}");
    }
    assert_eq!(exp_avg, [tiny(4)]);

    let mut gradient = vec![tiny(4); len];
    let norm = clip_grad_norm(&mut gradient, 1.0).unwrap();
    assert!((norm / (f64::from(tiny(4)) * (len as f64).sqrt()) - 1.0).abs() < 1e-9);
    assert!(gradient.iter().all(|&value| value == tiny(4)));
}
