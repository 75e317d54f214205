use super::invalid::{check_betas, check_epsilon, check_not_negative, is_finite};
use super::{InvalidOption, Rule, in_chunks, sign};

/// Adam, and with decoupled weight decay AdamW.
///
/// With PyTorch's names, defaults and formulas:
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
    /// Whether to divide by the root of the largest mean square that there ever was.
    /// <https://openreview.net/forum?id=ryQu7f-RZ>
    pub amsgrad: bool,
    /// Whether to go up the gradient.
    pub maximize: bool,
}

impl Default for AdamOptions {
    fn default() -> Self {
        Self {
            lr: 1e-3,
            betas: [0.9, 0.999],
            eps: 1e-8,
            weight_decay: 0.0,
            decoupled_weight_decay: false,
            amsgrad: false,
            maximize: false,
        }
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

    setters! {
        /// Sets the learning rate.
        lr: f64,
        /// Sets the decay rates of the running means.
        betas: [f64; 2],
        /// Sets what keeps the division from dividing by zero.
        eps: f64,
        /// Sets the weight decay.
        weight_decay: f64,
        /// Sets whether it divides by the root of the largest mean square.
        amsgrad: bool,
        /// Sets whether it goes up the gradient.
        maximize: bool,
    }

    /// Checks every value.
    ///
    /// # Errors
    ///
    /// Names the first that PyTorch would refuse, that is not finite, or that makes what is computed of it infinite. An `eps`
    /// of zero, which PyTorch takes, is refused too.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        check_not_negative(self.lr, InvalidOption::LearningRate)?;
        check_betas(self.betas)?;
        check_epsilon(self.eps)?;
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
}

impl Rule for AdamOptions {
    const NAME: &'static str = "Adam";
    const KEEPS: &'static [&'static str] = &["exp_avg", "exp_avg_sq", "max_exp_avg_sq"];

    fn kept(&self) -> usize {
        if self.amsgrad { 3 } else { 2 }
    }

    by_its_options!(lr, betas, eps, weight_decay, decoupled_weight_decay, amsgrad, maximize);

    fn update(&self, step: u64, parameters: &mut [f32], gradient: &[f32], kept: &mut [&mut [f32]]) {
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
        let (eps, sign) = (self.eps as f32, sign(self.maximize));
        let (keep1, take1) = (beta1 as f32, (1.0 - beta1) as f32);
        let (keep2, take2) = (beta2 as f32, (1.0 - beta2) as f32);
        let next = move |parameter: &mut f32, mean: &mut f32, mean_square: &mut f32, gradient: &f32| {
            let gradient = sign * gradient + weight_decay * *parameter;
            *mean = keep1 * *mean + take1 * gradient;
            *mean_square = keep2 * *mean_square + take2 * gradient * gradient;
        };
        let moved = move |parameter: f32, mean: f32, mean_square: f32| {
            kept_weight * parameter - step_size * (mean / (mean_square.sqrt() * inverse_root + eps))
        };
        match kept {
            [exp_avg, exp_avg_sq, largest, ..] if self.amsgrad => {
                let kept = [&mut **exp_avg, &mut **exp_avg_sq, &mut **largest];
                in_chunks(parameters, kept, gradient, &move |parameters, [exp_avg, exp_avg_sq, largest], gradient| {
                    let means = exp_avg.iter_mut().zip(exp_avg_sq).zip(largest);
                    for ((parameter, ((mean, mean_square), largest)), gradient) in
                        parameters.iter_mut().zip(means).zip(gradient)
                    {
                        next(parameter, mean, mean_square, gradient);
                        // Of NaN and a number NaN, as PyTorch's.
                        *largest =
                            if *mean_square > *largest || mean_square.is_nan() { *mean_square } else { *largest };
                        *parameter = moved(*parameter, *mean, *largest);
                    }
                });
            }
            [exp_avg, exp_avg_sq, ..] => {
                let kept = [&mut **exp_avg, &mut **exp_avg_sq];
                in_chunks(parameters, kept, gradient, &move |parameters, [exp_avg, exp_avg_sq], gradient| {
                    let means = exp_avg.iter_mut().zip(exp_avg_sq);
                    for ((parameter, (mean, mean_square)), gradient) in parameters.iter_mut().zip(means).zip(gradient) {
                        next(parameter, mean, mean_square, gradient);
                        *parameter = moved(*parameter, *mean, *mean_square);
                    }
                });
            }
            _ => unreachable!("the means are kept"),
        }
    }
}
