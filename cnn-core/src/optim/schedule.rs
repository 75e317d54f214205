//! Learning rates that change in the course of a training, as functions of the step alone: nothing is counted, so a
//! training that is taken up again goes on where it was.
//!
//! Each is PyTorch's scheduler of its name; `step` is the number of steps already taken (PyTorch's `last_epoch`), from 0,
//! in whatever unit the sizes are given in: steps or epochs. A schedule that [`validate`](StepLr::validate) refuses may give
//! NaN, which no optimizer takes for a learning rate.
//! <https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate>

use core::f64::consts::PI;

use super::InvalidOption;
use super::invalid::check_not_negative;

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
    pub fn lr(&self, step: u64) -> f64 {
        step.checked_div(self.step_size).map_or(f64::NAN, |falls| self.lr * self.gamma.powf(falls as f64))
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
    pub fn lr(&self, step: u64) -> f64 {
        cosine(self.lr, self.eta_min, step as f64 / self.t_max as f64)
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
    /// Steps of the whole training. Behind them the learning rate keeps its last value.
    pub total_steps: u64,
    /// Share of the steps in which the learning rate rises.
    pub pct_start: f64,
    /// How much less than `max_lr` the learning rate is at the start.
    pub div_factor: f64,
    /// How much less than at the start the learning rate is at the end.
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
        check_not_negative(self.max_lr, InvalidOption::LearningRate)?;
        check_not_negative(self.base_momentum, InvalidOption::Momentum)?;
        check_not_negative(self.max_momentum, InvalidOption::Momentum)?;
        if self.total_steps == 0 {
            return Err(InvalidOption::TotalSteps);
        }
        if !(0.0..=1.0).contains(&self.pct_start) {
            return Err(InvalidOption::PctStart(self.pct_start));
        }
        for (name, value) in [("div_factor", self.div_factor), ("final_div_factor", self.final_div_factor)] {
            if !(value.is_finite() && value > 0.0) {
                return Err(InvalidOption::Divisor { name, value });
            }
        }
        Ok(())
    }

    /// The learning rate after `step` steps.
    pub fn lr(&self, step: u64) -> f64 {
        let first = self.max_lr / self.div_factor;
        self.phase(step, first, self.max_lr, first / self.final_div_factor)
    }

    /// The momentum, or the first of Adam's betas, after `step` steps.
    pub fn momentum(&self, step: u64) -> f64 {
        self.phase(step, self.max_momentum, self.base_momentum, self.max_momentum)
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

/// From `start` to `end` on half a wave, as `progress` goes from 0 to 1.
fn cosine(start: f64, end: f64, progress: f64) -> f64 {
    end + (start - end) / 2.0 * (1.0 + (PI * progress).cos())
}
