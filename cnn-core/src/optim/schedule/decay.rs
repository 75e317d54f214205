use crate::optim::InvalidOption;
use crate::optim::invalid::check_not_negative;

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

/// The learning rate falls to its `gamma`-th part at each of some steps.
///
/// <https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiStepLR.html>
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MultiStepLr<'a> {
    /// The learning rate at the start.
    pub lr: f64,
    /// The steps, in ascending order; of one that is there twice it falls twice.
    pub milestones: &'a [u64],
    /// What the learning rate is multiplied by; PyTorch's default is 0.1.
    pub gamma: f64,
}

impl MultiStepLr<'_> {
    /// Checks every value.
    ///
    /// # Errors
    ///
    /// Names the first that makes no sense.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        check_not_negative(self.lr, InvalidOption::LearningRate)?;
        check_not_negative(self.gamma, InvalidOption::Gamma)?;
        if self.milestones.is_sorted() { Ok(()) } else { Err(InvalidOption::Milestones) }
    }

    /// The learning rate after `step` steps.
    ///
    /// # Errors
    ///
    /// What [`validate`](Self::validate) says.
    pub fn lr(&self, step: u64) -> Result<f64, InvalidOption> {
        self.validate()?;
        let falls = self.milestones.iter().take_while(|milestone| **milestone <= step).count();
        Ok(self.lr * self.gamma.powf(falls as f64))
    }
}

/// The learning rate falls to its `gamma`-th part in each step.
///
/// <https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ExponentialLR.html>
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExponentialLr {
    /// The learning rate at the start.
    pub lr: f64,
    /// What the learning rate is multiplied by, at most 1: in PyTorch it may be more, and the rate has no bound then.
    pub gamma: f64,
}

impl ExponentialLr {
    /// Checks every value.
    ///
    /// # Errors
    ///
    /// Names the first that makes no sense.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        check_not_negative(self.lr, InvalidOption::LearningRate)?;
        check_not_negative(self.gamma, InvalidOption::Gamma)?;
        if self.gamma <= 1.0 { Ok(()) } else { Err(InvalidOption::Growth(self.gamma)) }
    }

    /// The learning rate after `step` steps.
    ///
    /// # Errors
    ///
    /// What [`validate`](Self::validate) says.
    pub fn lr(&self, step: u64) -> Result<f64, InvalidOption> {
        self.validate()?;
        Ok(self.lr * self.gamma.powf(step as f64))
    }
}
