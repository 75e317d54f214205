use super::invalid::{check_lengths, check_not_negative, is_finite};
use super::{InvalidOption, in_chunks};

/// Stochastic gradient descent, with momentum and Nesterov's momentum.
///
/// With PyTorch's names, defaults and formulas: <https://pytorch.org/docs/stable/generated/torch.optim.SGD.html>
///
/// ```
/// use cnn_core::optim::SgdOptions;
///
/// let options = SgdOptions::new(0.1).momentum(0.9).nesterov(true).weight_decay(5e-4);
/// options.validate()?;
/// # Ok::<(), cnn_core::optim::InvalidOption>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SgdOptions {
    /// Learning rate.
    pub lr: f64,
    /// Share of the last step's direction that is kept.
    pub momentum: f64,
    /// Share of the gradient that the momentum does not take.
    pub dampening: f64,
    /// Share of the parameters that is added to the gradient: of all parameters, biases and normalizations too.
    pub weight_decay: f64,
    /// Whether to look one step of the momentum ahead.
    pub nesterov: bool,
}

impl Default for SgdOptions {
    fn default() -> Self {
        Self { lr: 1e-3, momentum: 0.0, dampening: 0.0, weight_decay: 0.0, nesterov: false }
    }
}

impl SgdOptions {
    /// Plain descent at a learning rate.
    pub fn new(lr: f64) -> Self {
        Self { lr, ..Self::default() }
    }

    /// Sets the learning rate.
    #[must_use]
    pub fn lr(self, lr: f64) -> Self {
        Self { lr, ..self }
    }

    /// Sets the momentum.
    #[must_use]
    pub fn momentum(self, momentum: f64) -> Self {
        Self { momentum, ..self }
    }

    /// Sets the dampening.
    #[must_use]
    pub fn dampening(self, dampening: f64) -> Self {
        Self { dampening, ..self }
    }

    /// Sets the weight decay.
    #[must_use]
    pub fn weight_decay(self, weight_decay: f64) -> Self {
        Self { weight_decay, ..self }
    }

    /// Sets whether the momentum is Nesterov's.
    #[must_use]
    pub fn nesterov(self, nesterov: bool) -> Self {
        Self { nesterov, ..self }
    }

    /// Checks every value.
    ///
    /// # Errors
    ///
    /// Names the first that PyTorch would refuse, or that is not finite.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        let Self { lr, momentum, dampening, weight_decay, nesterov } = *self;
        check_not_negative(lr, InvalidOption::LearningRate)?;
        check_not_negative(momentum, InvalidOption::Momentum)?;
        check_not_negative(weight_decay, InvalidOption::WeightDecay)?;
        if !is_finite(dampening) {
            return Err(InvalidOption::Dampening(dampening));
        }
        if nesterov && (momentum == 0.0 || dampening != 0.0) {
            return Err(InvalidOption::Nesterov { momentum, dampening });
        }
        Ok(())
    }

    /// Whether [`step`](Self::step) uses its buffer.
    pub fn has_momentum(&self) -> bool {
        self.momentum != 0.0
    }

    /// Step number `step`, counted from 1, of `parameters` down their `gradient`.
    ///
    /// `momentum` carries the direction from step to step and starts as zeros. Without momentum it stays as it is, and may
    /// be empty; otherwise all three are equally long.
    ///
    /// # Errors
    ///
    /// What [`validate`](Self::validate) says; [`InvalidOption::Step`] when `step` is zero; [`InvalidOption::Length`] of a
    /// slice that is not as long as the parameters.
    pub fn step(
        &self,
        step: u64,
        parameters: &mut [f32],
        gradient: &[f32],
        momentum: &mut [f32],
    ) -> Result<(), InvalidOption> {
        self.validate()?;
        if step == 0 {
            return Err(InvalidOption::Step);
        }
        check_lengths(parameters.len(), &[("gradient", gradient.len())])?;
        if self.has_momentum() {
            check_lengths(parameters.len(), &[("momentum", momentum.len())])?;
        }
        self.update(step, parameters, gradient, momentum);
        Ok(())
    }

    /// [`step`](Self::step) of what was checked before.
    pub(crate) fn update(&self, step: u64, parameters: &mut [f32], gradient: &[f32], momentum: &mut [f32]) {
        let lr = self.lr as f32;
        let weight_decay = self.weight_decay as f32;
        if !self.has_momentum() {
            return in_chunks(parameters, [], gradient, &move |parameters, [], gradient| {
                for (parameter, gradient) in parameters.iter_mut().zip(gradient) {
                    *parameter -= lr * (gradient + weight_decay * *parameter);
                }
            });
        }
        let ahead = self.momentum as f32;
        // The first step takes the whole gradient, whatever the dampening.
        let (keep, take) = if step == 1 { (0.0, 1.0) } else { (ahead, (1.0 - self.dampening) as f32) };
        let nesterov = self.nesterov;
        in_chunks(parameters, [momentum], gradient, &move |parameters, [momentum], gradient| {
            for ((parameter, momentum), gradient) in parameters.iter_mut().zip(momentum).zip(gradient) {
                let gradient = gradient + weight_decay * *parameter;
                *momentum = keep * *momentum + take * gradient;
                let direction = if nesterov { gradient + ahead * *momentum } else { *momentum };
                *parameter -= lr * direction;
            }
        });
    }
}
