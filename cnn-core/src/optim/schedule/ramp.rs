use crate::optim::InvalidOption;
use crate::optim::invalid::{check_not_negative, is_finite};

/// A factor of a learning rate that is finite, is not negative, and leaves the rate finite.
fn check_factor(lr: f64, name: &'static str, value: f64) -> Result<(), InvalidOption> {
    if is_finite(value) && value >= 0.0 && is_finite(lr * value) {
        Ok(())
    } else {
        Err(InvalidOption::Factor { name, value })
    }
}

fn check_iters(total_iters: u64) -> Result<(), InvalidOption> {
    if total_iters == 0 { Err(InvalidOption::NoSteps("total_iters")) } else { Ok(()) }
}

/// Another learning rate for the first steps, `lr * factor`, and `lr` behind them.
///
/// <https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ConstantLR.html>
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConstantLr {
    /// The learning rate behind them.
    pub lr: f64,
    /// What it is multiplied by; PyTorch's default is 1/3.
    pub factor: f64,
    /// How many they are; PyTorch's default is 5.
    pub total_iters: u64,
}

impl ConstantLr {
    /// Checks every value.
    ///
    /// # Errors
    ///
    /// Names the first that makes no sense.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        check_not_negative(self.lr, InvalidOption::LearningRate)?;
        check_factor(self.lr, "factor", self.factor)
    }

    /// The learning rate after `step` steps.
    ///
    /// # Errors
    ///
    /// What [`validate`](Self::validate) says.
    pub fn lr(&self, step: u64) -> Result<f64, InvalidOption> {
        self.validate()?;
        Ok(if step < self.total_iters { self.lr * self.factor } else { self.lr })
    }
}

/// From `lr * start_factor` to `lr * end_factor` in a straight line: a warm-up.
///
/// <https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LinearLR.html>
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinearLr {
    /// The learning rate that is multiplied.
    pub lr: f64,
    /// Its factor at the start; PyTorch's default is 1/3.
    pub start_factor: f64,
    /// Its factor at the end and behind it; PyTorch's default is 1.
    pub end_factor: f64,
    /// Steps between them, at least 1; PyTorch's default is 5.
    pub total_iters: u64,
}

impl LinearLr {
    /// Checks every value.
    ///
    /// # Errors
    ///
    /// Names the first that makes no sense.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        check_not_negative(self.lr, InvalidOption::LearningRate)?;
        check_factor(self.lr, "start_factor", self.start_factor)?;
        check_factor(self.lr, "end_factor", self.end_factor)?;
        check_iters(self.total_iters)
    }

    /// The learning rate after `step` steps.
    ///
    /// # Errors
    ///
    /// What [`validate`](Self::validate) says.
    pub fn lr(&self, step: u64) -> Result<f64, InvalidOption> {
        self.validate()?;
        let progress = step.min(self.total_iters) as f64 / self.total_iters as f64;
        Ok(self.lr * (self.start_factor + (self.end_factor - self.start_factor) * progress))
    }
}

/// Down to zero by a power of the steps that are left: `lr * (1 - step / total_iters)^power`.
///
/// <https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.PolynomialLR.html>
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PolynomialLr {
    /// The learning rate at the start.
    pub lr: f64,
    /// Steps until it is zero, at least 1; PyTorch's default is 5.
    pub total_iters: u64,
    /// The power, above 0; PyTorch's default is 1.
    pub power: f64,
}

impl PolynomialLr {
    /// Checks every value.
    ///
    /// # Errors
    ///
    /// Names the first that makes no sense.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        check_not_negative(self.lr, InvalidOption::LearningRate)?;
        check_iters(self.total_iters)?;
        if self.power > 0.0 && is_finite(self.power) { Ok(()) } else { Err(InvalidOption::Power(self.power)) }
    }

    /// The learning rate after `step` steps.
    ///
    /// # Errors
    ///
    /// What [`validate`](Self::validate) says.
    pub fn lr(&self, step: u64) -> Result<f64, InvalidOption> {
        self.validate()?;
        let left = 1.0 - step.min(self.total_iters) as f64 / self.total_iters as f64;
        Ok(self.lr * left.powf(self.power))
    }
}
