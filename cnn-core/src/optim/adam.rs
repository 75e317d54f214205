use super::invalid::{check_lengths, check_not_negative, is_finite};
use super::{InvalidOption, in_chunks};

/// Adam, and with decoupled weight decay AdamW.
///
/// With PyTorch's names, defaults and formulas, without `amsgrad` and `maximize`:
/// <https://pytorch.org/docs/stable/generated/torch.optim.Adam.html>,
/// <https://pytorch.org/docs/stable/generated/torch.optim.AdamW.html>
///
/// ```
/// use cnn_core::optim::AdamOptions;
///
/// AdamOptions::new(1e-3).betas([0.9, 0.98]).validate()?;
/// AdamOptions::adamw(1e-3).weight_decay(0.05).validate()?;
/// # Ok::<(), cnn_core::optim::InvalidOption>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamOptions {
    /// Learning rate.
    pub lr: f64,
    /// Decay rates of the running means of the gradient and of its square.
    pub betas: [f64; 2],
    /// What keeps the division by the root of the mean square from dividing by zero: added to the root.
    pub eps: f64,
    /// Share of the parameters that is added to the gradient or, decoupled and times the learning rate, taken off them. It
    /// holds for all parameters, biases and normalizations too.
    pub weight_decay: f64,
    /// Whether the weight decay is AdamW's.
    pub decoupled_weight_decay: bool,
}

impl Default for AdamOptions {
    fn default() -> Self {
        Self { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0.0, decoupled_weight_decay: false }
    }
}

impl AdamOptions {
    /// Adam at a learning rate.
    pub fn new(lr: f64) -> Self {
        Self { lr, ..Self::default() }
    }

    /// AdamW at a learning rate, with its default weight decay of 0.01.
    pub fn adamw(lr: f64) -> Self {
        Self { lr, weight_decay: 1e-2, decoupled_weight_decay: true, ..Self::default() }
    }

    /// Sets the learning rate.
    #[must_use]
    pub fn lr(self, lr: f64) -> Self {
        Self { lr, ..self }
    }

    /// Sets the decay rates of the running means.
    #[must_use]
    pub fn betas(self, betas: [f64; 2]) -> Self {
        Self { betas, ..self }
    }

    /// Sets what keeps the division from dividing by zero.
    #[must_use]
    pub fn eps(self, eps: f64) -> Self {
        Self { eps, ..self }
    }

    /// Sets the weight decay.
    #[must_use]
    pub fn weight_decay(self, weight_decay: f64) -> Self {
        Self { weight_decay, ..self }
    }

    /// Checks every value.
    ///
    /// # Errors
    ///
    /// Names the first that PyTorch would refuse, that is not finite, or that makes what is computed of it infinite. An `eps`
    /// of zero, which PyTorch takes, is refused too.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        check_not_negative(self.lr, InvalidOption::LearningRate)?;
        for (index, beta) in self.betas.into_iter().enumerate() {
            if !(0.0..1.0).contains(&beta) {
                return Err(InvalidOption::Beta { index, beta });
            }
        }
        if !(is_finite(self.eps) && self.eps as f32 > 0.0) {
            return Err(InvalidOption::Epsilon(self.eps));
        }
        check_not_negative(self.weight_decay, InvalidOption::WeightDecay)?;
        // The first step is the longest.
        if !is_finite(self.lr / (1.0 - self.betas[0])) {
            return Err(InvalidOption::LearningRate(self.lr));
        }
        if self.decoupled_weight_decay && !is_finite(self.lr * self.weight_decay) {
            return Err(InvalidOption::WeightDecay(self.weight_decay));
        }
        Ok(())
    }

    /// Step number `step`, counted from 1, of `parameters` down their `gradient`.
    ///
    /// `exp_avg` and `exp_avg_sq`, the running means of the gradient and of its square, carry over from step to step and start
    /// as zeros. All four are equally long.
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
        exp_avg: &mut [f32],
        exp_avg_sq: &mut [f32],
    ) -> Result<(), InvalidOption> {
        self.validate()?;
        if step == 0 {
            return Err(InvalidOption::Step);
        }
        let lengths = [("gradient", gradient.len()), ("exp_avg", exp_avg.len()), ("exp_avg_sq", exp_avg_sq.len())];
        check_lengths(parameters.len(), &lengths)?;
        self.update(step, parameters, gradient, exp_avg, exp_avg_sq);
        Ok(())
    }

    /// [`step`](Self::step) of what was checked before.
    pub(crate) fn update(
        &self,
        step: u64,
        parameters: &mut [f32],
        gradient: &[f32],
        exp_avg: &mut [f32],
        exp_avg_sq: &mut [f32],
    ) {
        let [beta1, beta2] = self.betas;
        // The means start at zero, and this makes up for it.
        let bias_correction1 = 1.0 - beta1.powf(step as f64);
        let bias_correction2 = 1.0 - beta2.powf(step as f64);
        let step_size = (self.lr / bias_correction1) as f32;
        let inverse_root = (1.0 / bias_correction2.sqrt()) as f32;
        let (kept_weight, weight_decay) = match self.decoupled_weight_decay {
            true => ((1.0 - self.lr * self.weight_decay) as f32, 0.0),
            false => (1.0, self.weight_decay as f32),
        };
        let eps = self.eps as f32;
        let (keep1, take1) = (beta1 as f32, (1.0 - beta1) as f32);
        let (keep2, take2) = (beta2 as f32, (1.0 - beta2) as f32);
        in_chunks(parameters, [exp_avg, exp_avg_sq], gradient, &move |parameters, [exp_avg, exp_avg_sq], gradient| {
            let means = exp_avg.iter_mut().zip(exp_avg_sq);
            for ((parameter, (mean, mean_square)), gradient) in parameters.iter_mut().zip(means).zip(gradient) {
                let gradient = gradient + weight_decay * *parameter;
                *mean = keep1 * *mean + take1 * gradient;
                *mean_square = keep2 * *mean_square + take2 * gradient * gradient;
                let direction = *mean / (mean_square.sqrt() * inverse_root + eps);
                *parameter = kept_weight * *parameter - step_size * direction;
            }
        });
    }
}
