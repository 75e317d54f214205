use core::f64::consts::PI;

use crate::optim::InvalidOption;
use crate::optim::invalid::check_not_negative;

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

/// Half a wave down to `eta_min`, and again from the top: the first takes `t_0` steps, and each `t_mult` times as many as the one
/// before.
///
/// <https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.html>
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CosineAnnealingWarmRestarts {
    /// The learning rate at the start of each wave.
    pub lr: f64,
    /// Steps of the first, at least 1.
    pub t_0: u64,
    /// How many times as long each is as the one before, at least 1, which is PyTorch's default.
    pub t_mult: u64,
    /// The learning rate that they fall to; PyTorch's default is 0.
    pub eta_min: f64,
}

impl CosineAnnealingWarmRestarts {
    /// Checks every value.
    ///
    /// # Errors
    ///
    /// Names the first that makes no sense.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        check_not_negative(self.lr, InvalidOption::LearningRate)?;
        check_not_negative(self.eta_min, InvalidOption::EtaMin)?;
        for (name, value) in [("t_0", self.t_0), ("t_mult", self.t_mult)] {
            if value == 0 {
                return Err(InvalidOption::NoSteps(name));
            }
        }
        Ok(())
    }

    /// The learning rate after `step` steps.
    ///
    /// # Errors
    ///
    /// What [`validate`](Self::validate) says.
    pub fn lr(&self, step: u64) -> Result<f64, InvalidOption> {
        self.validate()?;
        let (mut begin, mut len) = (0_u64, self.t_0);
        if self.t_mult == 1 {
            begin = step - step % len;
        }
        while step - begin >= len {
            begin += len;
            len = len.saturating_mul(self.t_mult);
        }
        Ok(cosine(self.lr, self.eta_min, (step - begin) as f64 / len as f64))
    }
}

/// From `start` to `end` on half a wave, as `progress` goes from 0 to 1, and never beyond either: a rate near the least number
/// would be rounded to one below zero.
pub(super) fn cosine(start: f64, end: f64, progress: f64) -> f64 {
    let value = end + (start - end) / 2.0 * (1.0 + (PI * progress).cos());
    value.max(start.min(end)).min(start.max(end))
}
