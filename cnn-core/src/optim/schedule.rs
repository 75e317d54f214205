//! Learning rates that change in the course of a training, as functions of the step alone: nothing is counted, so a
//! training that is taken up again goes on where it was.
//!
//! Each is PyTorch's scheduler of its name, by the formula of PyTorch's page of it; `step` is the number of steps already
//! taken (PyTorch's `last_epoch`), from 0, in whatever unit the sizes are given in: steps or epochs. A schedule that
//! [`validate`](StepLr::validate) refuses has no learning rate at any step, but the same error.
//! <https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate>
//!
//! ```
//! use cnn_core::optim::schedule::StepLr;
//!
//! let schedule = StepLr { lr: 0.1, step_size: 30, gamma: 0.1 };
//! assert_eq!(schedule.lr(29)?, 0.1);
//! let error = StepLr { step_size: 0, ..schedule }.lr(29).unwrap_err();
//! assert_eq!(error.to_string(), "step_size = 0: a learning rate falls every 1 step or more");
//! # Ok::<(), cnn_core::optim::InvalidOption>(())
//! ```
//!
//! In a training, `optimizer.set_lr(schedule.lr(training.step())?)?` before each step.

use core::f64::consts::PI;

use super::InvalidOption;
use super::invalid::{check_not_negative, is_finite};

/// The learning rate falls to its `gamma`-th part every `step_size` steps.
///
/// <https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html>
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepLr {
    /// The learning rate at the start.
    pub lr: f64,
    /// Steps between two falls, at least 1.
    pub step_size: u64,
    /// What the learning rate is multiplied by; PyTorch's default is 0.1.
    pub gamma: f64,
}

impl StepLr {
    /// Checks every value.
    ///
    /// # Errors
    ///
    /// Names the first that makes no sense.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        check_not_negative(self.lr, InvalidOption::LearningRate)?;
        check_not_negative(self.gamma, InvalidOption::Gamma)?;
        if self.step_size == 0 { Err(InvalidOption::StepSize) } else { Ok(()) }
    }

    /// The learning rate after `step` steps.
    ///
    /// # Errors
    ///
    /// What [`validate`](Self::validate) says.
    pub fn lr(&self, step: u64) -> Result<f64, InvalidOption> {
        self.validate()?;
        Ok(self.lr * self.gamma.powf((step / self.step_size) as f64))
    }
}

/// The learning rate follows half a wave of the cosine down to `eta_min` at step `t_max`; behind it the wave goes on.
///
/// <https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingLR.html>
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CosineAnnealingLr {
    /// The learning rate at the start.
    pub lr: f64,
    /// The step at which the learning rate is least, at least 1.
    pub t_max: u64,
    /// The least learning rate; PyTorch's default is 0.
    pub eta_min: f64,
}

impl CosineAnnealingLr {
    /// Checks every value.
    ///
    /// # Errors
    ///
    /// Names the first that makes no sense.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        check_not_negative(self.lr, InvalidOption::LearningRate)?;
        check_not_negative(self.eta_min, InvalidOption::EtaMin)?;
        if self.t_max == 0 { Err(InvalidOption::TMax) } else { Ok(()) }
    }

    /// The learning rate after `step` steps.
    ///
    /// # Errors
    ///
    /// What [`validate`](Self::validate) says.
    pub fn lr(&self, step: u64) -> Result<f64, InvalidOption> {
        self.validate()?;
        Ok(cosine(self.lr, self.eta_min, step as f64 / self.t_max as f64))
    }
}

/// The learning rate rises to `max_lr` and falls to nearly nothing, each on half a wave of the cosine, while a momentum
/// may do the opposite.
///
/// <https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.OneCycleLR.html>, with `anneal_strategy = "cos"`
/// and two phases.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneCycleLr {
    /// The greatest learning rate.
    pub max_lr: f64,
    /// Steps of the whole training, at least 1. Behind them the learning rate keeps its last value.
    pub total_steps: u64,
    /// Share of the steps in which the learning rate rises, from 0 to 1.
    pub pct_start: f64,
    /// What `max_lr` is divided by at the start.
    pub div_factor: f64,
    /// What the learning rate of the start is divided by at the end.
    pub final_div_factor: f64,
    /// The momentum where the learning rate is greatest.
    pub base_momentum: f64,
    /// The momentum at the start and at the end.
    pub max_momentum: f64,
}

impl OneCycleLr {
    /// A cycle with PyTorch's defaults.
    pub fn new(max_lr: f64, total_steps: u64) -> Self {
        Self {
            max_lr,
            total_steps,
            pct_start: 0.3,
            div_factor: 25.0,
            final_div_factor: 1e4,
            base_momentum: 0.85,
            max_momentum: 0.95,
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    ///
    /// Names the first that makes no sense.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        check_not_negative(self.max_lr, InvalidOption::MaxLr)?;
        check_not_negative(self.base_momentum, InvalidOption::BaseMomentum)?;
        check_not_negative(self.max_momentum, InvalidOption::MaxMomentum)?;
        if self.total_steps == 0 {
            return Err(InvalidOption::TotalSteps);
        }
        if !(0.0..=1.0).contains(&self.pct_start) {
            return Err(InvalidOption::PctStart(self.pct_start));
        }
        let divisors = [("div_factor", self.div_factor), ("final_div_factor", self.final_div_factor)];
        for ((name, value), lr) in divisors.into_iter().zip(self.ends()) {
            if !(value.is_finite() && value > 0.0 && is_finite(lr)) {
                return Err(InvalidOption::Divisor { name, value });
            }
        }
        Ok(())
    }

    /// The first learning rate and the last.
    fn ends(&self) -> [f64; 2] {
        let first = self.max_lr / self.div_factor;
        [first, first / self.final_div_factor]
    }

    /// The learning rate after `step` steps.
    ///
    /// # Errors
    ///
    /// What [`validate`](Self::validate) says.
    pub fn lr(&self, step: u64) -> Result<f64, InvalidOption> {
        self.validate()?;
        let [first, last] = self.ends();
        Ok(self.phase(step, first, self.max_lr, last))
    }

    /// The momentum, or the first of Adam's betas, after `step` steps.
    ///
    /// # Errors
    ///
    /// What [`validate`](Self::validate) says.
    pub fn momentum(&self, step: u64) -> Result<f64, InvalidOption> {
        self.validate()?;
        Ok(self.phase(step, self.max_momentum, self.base_momentum, self.max_momentum))
    }

    fn phase(&self, step: u64, first: f64, middle: f64, last: f64) -> f64 {
        let step = step as f64;
        let top = self.pct_start * self.total_steps as f64 - 1.0;
        let end = self.total_steps as f64 - 1.0;
        // A phase of no length is at its end.
        match step {
            _ if step >= end => last,
            _ if step == top => middle,
            _ if step < top => cosine(first, middle, step / top),
            _ => cosine(middle, last, (step - top) / (end - top)),
        }
    }
}

/// From `start` to `end` on half a wave, as `progress` goes from 0 to 1, and never beyond either: a rate near the least number
/// would be rounded to one below zero.
fn cosine(start: f64, end: f64, progress: f64) -> f64 {
    let value = end + (start - end) / 2.0 * (1.0 + (PI * progress).cos());
    value.max(start.min(end)).min(start.max(end))
}
