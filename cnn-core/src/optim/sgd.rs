use super::invalid::{check_not_negative, is_finite};
use super::{InvalidOption, Rule, in_chunks, sign};

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
    /// Whether to go up the gradient.
    pub maximize: bool,
}

impl Default for SgdOptions {
    fn default() -> Self {
        Self { lr: 1e-3, momentum: 0.0, dampening: 0.0, weight_decay: 0.0, nesterov: false, maximize: false }
    }
}

impl SgdOptions {
    /// Plain descent at a learning rate.
    pub fn new(lr: f64) -> Self {
        Self { lr, ..Self::default() }
    }

    setters! {
        /// Sets the learning rate.
        lr: f64,
        /// Sets the momentum.
        momentum: f64,
        /// Sets the dampening.
        dampening: f64,
        /// Sets the weight decay.
        weight_decay: f64,
        /// Sets whether the momentum is Nesterov's.
        nesterov: bool,
        /// Sets whether it goes up the gradient.
        maximize: bool,
    }

    /// Checks every value.
    ///
    /// # Errors
    ///
    /// Names the first that PyTorch would refuse, or that is not finite.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        let Self { lr, momentum, dampening, weight_decay, nesterov, .. } = *self;
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

    /// Whether it keeps a direction from step to step.
    pub fn has_momentum(&self) -> bool {
        self.momentum != 0.0
    }
}

impl Rule for SgdOptions {
    const NAME: &'static str = "SGD";
    const KEEPS: &'static [&'static str] = &["momentum_buffer"];

    fn kept(&self) -> usize {
        usize::from(self.has_momentum())
    }

    by_its_options!(lr, momentum, dampening, weight_decay, nesterov, maximize);

    fn update(&self, step: u64, parameters: &mut [f32], gradient: &[f32], kept: &mut [&mut [f32]]) {
        let (lr, weight_decay, sign) = (self.lr as f32, self.weight_decay as f32, sign(self.maximize));
        let [momentum, ..] = kept else {
            return in_chunks(parameters, [], gradient, &move |parameters, [], gradient| {
                for (parameter, gradient) in parameters.iter_mut().zip(gradient) {
                    *parameter -= lr * (sign * gradient + weight_decay * *parameter);
                }
            });
        };
        let ahead = self.momentum as f32;
        // The first step takes the whole gradient, whatever the dampening.
        let (keep, take) = if step == 1 { (0.0, 1.0) } else { (ahead, (1.0 - self.dampening) as f32) };
        let nesterov = self.nesterov;
        in_chunks(parameters, [momentum], gradient, &move |parameters, [momentum], gradient| {
            for ((parameter, momentum), gradient) in parameters.iter_mut().zip(momentum).zip(gradient) {
                let gradient = sign * gradient + weight_decay * *parameter;
                *momentum = keep * *momentum + take * gradient;
                let direction = if nesterov { gradient + ahead * *momentum } else { *momentum };
                *parameter -= lr * direction;
            }
        });
    }
}
