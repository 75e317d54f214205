use super::cosine::cosine;
use crate::optim::InvalidOption;
use crate::optim::invalid::{check_not_negative, is_finite};

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
