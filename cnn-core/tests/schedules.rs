//! Schedules of the learning rate give what PyTorch's schedulers give.
//!
//! The constants are PyTorch 2.15.0's; `fixtures/optim.py` makes them.

use cnn_core::optim::InvalidOption;
use cnn_core::optim::schedule::{
    Better, Chained, ConstantLr, CosineAnnealingLr, CosineAnnealingWarmRestarts, ExponentialLr, LinearLr, MultiStepLr,
    OneCycleLr, PolynomialLr, ReduceLrOnPlateau, Schedule, Sequential, StepLr, Threshold,
};

fn assert_course(rate: impl Fn(u64) -> Result<f64, InvalidOption>, expected: &[f64]) {
    for (step, &expected) in (0..).zip(expected) {
        let found = rate(step).unwrap();
        assert!((found - expected).abs() < 1e-12, "step {step}: {found}, expected {expected}");
    }
}

#[test]
fn steps_waves_and_cycles_go_as_pytorchs() {
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
fn falls_and_ramps_go_as_pytorchs() {
    let falls = MultiStepLr { lr: 0.1, milestones: &[2, 5, 5], gamma: 0.5 };
    assert_course(|step| falls.lr(step), &[0.1, 0.1, 0.05, 0.05, 0.05, 0.0125, 0.0125, 0.0125]);
    let fall = ExponentialLr { lr: 0.1, gamma: 0.9 };
    assert_course(|step| fall.lr(step), &[0.1, 0.09, 0.081, 0.0729, 0.06561, 0.059049]);
    let gentle = ConstantLr { lr: 0.1, factor: 0.25, total_iters: 3 };
    assert_course(|step| gentle.lr(step), &[0.025, 0.025, 0.025, 0.1, 0.1, 0.1]);
    let line = LinearLr { lr: 0.1, start_factor: 0.2, end_factor: 0.8, total_iters: 4 };
    assert_course(|step| line.lr(step), &[0.02, 0.035, 0.05, 0.065, 0.08, 0.08, 0.08]);
    let power = PolynomialLr { lr: 0.1, total_iters: 6, power: 2.0 };
    #[rustfmt::skip]
    assert_course(|step| power.lr(step), &[
        0.1, 0.06944444444444446, 0.04444444444444447, 0.025, 0.011111111111111117, 0.0027777777777777775, 0.0, 0.0, 0.0,
    ]);
    let waves = CosineAnnealingWarmRestarts { lr: 0.1, t_0: 3, t_mult: 1, eta_min: 0.01 };
    assert_course(|step| waves.lr(step), &[0.1, 0.0775, 0.0325, 0.1, 0.0775, 0.0325, 0.1, 0.0775]);
    let waves = CosineAnnealingWarmRestarts { lr: 0.1, t_0: 2, t_mult: 2, eta_min: 0.0 };
    #[rustfmt::skip]
    assert_course(|step| waves.lr(step), &[
        0.1, 0.05, 0.1, 0.08535533905932738, 0.05, 0.014644660940672627, 0.1, 0.09619397662556434, 0.08535533905932738,
        0.0691341716182545, 0.05, 0.030865828381745515, 0.014644660940672627, 0.0038060233744356634, 0.1,
    ]);
}

#[test]
fn schedules_of_schedules_go_as_pytorchs() {
    let warm_up = LinearLr { lr: 0.1, start_factor: 0.1, end_factor: 1.0, total_iters: 4 };
    let wave = CosineAnnealingLr { lr: 0.1, t_max: 6, eta_min: 0.0 };
    let parts: [(u64, &dyn Schedule); 2] = [(0, &warm_up), (4, &wave)];
    #[rustfmt::skip]
    assert_course(|step| Sequential(&parts).lr(step), &[
        0.01, 0.0325, 0.055, 0.0775, 0.1, 0.09330127018922195, 0.075, 0.05, 0.025, 0.006698729810778065, 0.0,
        0.006698729810778065,
    ]);
    let (fall, gentle) = (ExponentialLr { lr: 0.1, gamma: 0.9 }, ConstantLr { lr: 1.0, factor: 0.1, total_iters: 3 });
    let product = Chained(&[&fall, &gentle]);
    assert_course(|step| product.lr(step), &[0.01, 0.009, 0.0081, 0.0729, 0.06561, 0.059049]);
}

#[test]
fn a_plateau_is_found_where_pytorch_finds_it() {
    let metrics = [5.0, 4.0, 4.1, 3.9999, 3.99999, 4.2, f64::NAN, 3.0, 3.1, 3.2, 3.3, 2.9995, 2.5, 2.6, 2.7, 2.8, 2.9];
    let plain = ReduceLrOnPlateau::new(0.1);
    for (mut plateau, expected) in [
        (
            ReduceLrOnPlateau { patience: 1, factor: 0.5, ..plain },
            [
                0.1, 0.1, 0.1, 0.05, 0.05, 0.025, 0.025, 0.025, 0.025, 0.0125, 0.0125, 0.0125, 0.0125, 0.0125, 0.00625,
                0.00625, 0.003125,
            ],
        ),
        (
            ReduceLrOnPlateau { patience: 2, threshold: Threshold::Absolute(0.01), cooldown: 2, ..plain },
            [0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.001, 0.001, 0.001, 0.001, 0.001, 0.0001, 0.0001],
        ),
        (
            ReduceLrOnPlateau { patience: 0, factor: 0.5, mode: Better::More, min_lr: 0.02, ..plain },
            [0.1, 0.05, 0.025, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02],
        ),
        (
            ReduceLrOnPlateau {
                patience: 1,
                mode: Better::More,
                threshold: Threshold::Absolute(0.5),
                eps: 1e-3,
                ..plain
            },
            [
                0.1, 0.1, 0.01, 0.01, 0.001, 0.001, 0.001, 0.001, 0.001, 0.001, 0.001, 0.001, 0.001, 0.001, 0.001,
                0.001, 0.001,
            ],
        ),
    ] {
        for (metric, expected) in metrics.into_iter().zip(expected) {
            let lr = plateau.next(metric).unwrap();
            assert!((lr - expected).abs() < 1e-12, "{plateau:?}: {lr}, expected {expected}");
        }
    }
}

#[test]
fn schedules_that_make_no_sense_say_why() {
    let said = |result: Result<f64, InvalidOption>| result.unwrap_err().to_string();
    let falls = MultiStepLr { lr: 0.1, milestones: &[3, 2], gamma: 0.1 };
    assert!(said(falls.lr(0)).starts_with("milestones are steps in ascending order"));
    for parts in [&[][..], &[(1, &falls as &dyn Schedule)], &[(0, &falls), (5, &falls), (5, &falls)]] {
        assert_eq!(Sequential(parts).lr(9), Err(InvalidOption::Milestones));
    }
    assert!(said(ExponentialLr { lr: 0.1, gamma: 1.1 }.lr(0)).starts_with("gamma = 1.1: "));
    let line = LinearLr { lr: 0.1, start_factor: f64::NAN, end_factor: 1.0, total_iters: 4 };
    assert!(said(line.lr(0)).starts_with("start_factor = NaN: "));
    assert_eq!(
        said(LinearLr { start_factor: 0.1, total_iters: 0, ..line }.lr(0)),
        "total_iters = 0: it takes 1 step or more"
    );
    let power = PolynomialLr { lr: 0.1, total_iters: 6, power: 0.0 };
    assert!(said(power.lr(0)).starts_with("power = 0: "));
    let waves = CosineAnnealingWarmRestarts { lr: 0.1, t_0: 3, t_mult: 0, eta_min: 0.0 };
    assert_eq!(said(waves.lr(0)), "t_mult = 0: it takes 1 step or more");
    let mut plateau = ReduceLrOnPlateau { factor: 1.0, ..ReduceLrOnPlateau::new(0.1) };
    assert!(said(plateau.next(1.0)).starts_with("factor = 1: "));
    assert_eq!(plateau.best, None);
}

/// However long they are, and wherever one asks.
#[test]
fn the_last_step_has_a_rate_too() {
    let waves = CosineAnnealingWarmRestarts { lr: 0.1, t_0: 1, t_mult: 1, eta_min: 0.0 };
    for (t_0, t_mult) in [(1, 1), (1, 2), (u64::MAX, u64::MAX), (3, u64::MAX)] {
        let lr = CosineAnnealingWarmRestarts { t_0, t_mult, ..waves }.lr(u64::MAX).unwrap();
        assert!((0.0..=0.1).contains(&lr), "{lr}");
    }
    assert_eq!(ExponentialLr { lr: 0.1, gamma: 0.5 }.lr(u64::MAX), Ok(0.0));
    assert_eq!(PolynomialLr { lr: 0.1, total_iters: 1, power: 0.5 }.lr(u64::MAX), Ok(0.0));
}
