use super::invalid::{check_epsilon, check_not_negative};
use super::{InvalidOption, Rule, in_chunks, sign};

/// Descent by the gradient divided by the root of its running mean square.
///
/// With PyTorch's names, defaults and formulas: <https://pytorch.org/docs/stable/generated/torch.optim.RMSprop.html>. Where it is
/// centered and rounding makes a variance negative, that is 0 here and NaN in PyTorch.
///
/// ```
/// use cnn_core::optim::RmsPropOptions;
///
/// RmsPropOptions::new(1e-3).alpha(0.9).momentum(0.9).centered(true).validate()?;
/// # Ok::<(), cnn_core::optim::InvalidOption>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsPropOptions {
    /// Learning rate.
    pub lr: f64,
    /// Decay rate of the running means.
    pub alpha: f64,
    /// What keeps the division from dividing by zero: added to the root.
    pub eps: f64,
    /// Share of the parameters that is added to the gradient.
    pub weight_decay: f64,
    /// Share of the last step's direction that is kept.
    pub momentum: f64,
    /// Whether to divide by the deviation, and not by the root of the mean square.
    pub centered: bool,
    /// Whether to go up the gradient.
    pub maximize: bool,
}

impl Default for RmsPropOptions {
    fn default() -> Self {
        Self { lr: 1e-2, alpha: 0.99, eps: 1e-8, weight_decay: 0.0, momentum: 0.0, centered: false, maximize: false }
    }
}

impl RmsPropOptions {
    /// At a learning rate.
    pub fn new(lr: f64) -> Self {
        Self { lr, ..Self::default() }
    }

    setters! {
        /// Sets the learning rate.
        lr: f64,
        /// Sets the decay rate of the running means.
        alpha: f64,
        /// Sets what keeps the division from dividing by zero.
        eps: f64,
        /// Sets the weight decay.
        weight_decay: f64,
        /// Sets the momentum.
        momentum: f64,
        /// Sets whether it divides by the deviation.
        centered: bool,
        /// Sets whether it goes up the gradient.
        maximize: bool,
    }

    /// Checks every value.
    ///
    /// # Errors
    ///
    /// Names the first that is negative, not finite, or not what it is for. An `alpha` of 1 and an `eps` of zero, which PyTorch
    /// takes, are refused: with them a step may be a division by zero.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        check_not_negative(self.lr, InvalidOption::LearningRate)?;
        if !(0.0..1.0).contains(&self.alpha) {
            return Err(InvalidOption::Alpha(self.alpha));
        }
        check_epsilon(self.eps)?;
        check_not_negative(self.weight_decay, InvalidOption::WeightDecay)?;
        check_not_negative(self.momentum, InvalidOption::Momentum)
    }
}

impl Rule for RmsPropOptions {
    const NAME: &'static str = "RMSprop";
    const KEEPS: &'static [&'static str] = &["square_avg", "momentum_buffer", "grad_avg"];

    fn kept(&self) -> usize {
        match (self.centered, self.momentum != 0.0) {
            (true, _) => 3,
            (false, true) => 2,
            (false, false) => 1,
        }
    }

    by_its_options!(lr, alpha, eps, weight_decay, momentum, centered, maximize);

    fn update(&self, _step: u64, parameters: &mut [f32], gradient: &[f32], kept: &mut [&mut [f32]]) {
        let (lr, eps, weight_decay, momentum) =
            (self.lr as f32, self.eps as f32, self.weight_decay as f32, self.momentum as f32);
        let (keep, take, sign) = (self.alpha as f32, (1.0 - self.alpha) as f32, sign(self.maximize));
        let next = move |parameter: f32, square: &mut f32, gradient: f32| {
            let gradient = sign * gradient + weight_decay * parameter;
            *square = keep * *square + take * gradient * gradient;
            gradient
        };
        let moved = move |parameter: &mut f32, buffer: &mut f32, direction: f32| {
            *buffer = momentum * *buffer + direction;
            *parameter -= lr * *buffer;
        };
        match kept {
            [square_avg, momentum_buffer, grad_avg, ..] if self.centered => {
                let kept = [&mut **square_avg, &mut **momentum_buffer, &mut **grad_avg];
                in_chunks(parameters, kept, gradient, &move |parameters, [squares, buffers, means], gradient| {
                    let kept = squares.iter_mut().zip(buffers).zip(means);
                    for ((parameter, ((square, buffer), mean)), gradient) in
                        parameters.iter_mut().zip(kept).zip(gradient)
                    {
                        let gradient = next(*parameter, square, *gradient);
                        *mean += take * (gradient - *mean);
                        let variance = *square - *mean * *mean;
                        // Not `f32::max`, which would turn NaN into zero.
                        let variance = if variance < 0.0 { 0.0 } else { variance };
                        moved(parameter, buffer, gradient / (variance.sqrt() + eps));
                    }
                });
            }
            [square_avg, momentum_buffer, ..] if self.momentum != 0.0 => {
                let kept = [&mut **square_avg, &mut **momentum_buffer];
                in_chunks(parameters, kept, gradient, &move |parameters, [squares, buffers], gradient| {
                    let kept = squares.iter_mut().zip(buffers);
                    for ((parameter, (square, buffer)), gradient) in parameters.iter_mut().zip(kept).zip(gradient) {
                        let gradient = next(*parameter, square, *gradient);
                        moved(parameter, buffer, gradient / (square.sqrt() + eps));
                    }
                });
            }
            [square_avg, ..] => {
                in_chunks(parameters, [square_avg], gradient, &move |parameters, [squares], gradient| {
                    for ((parameter, square), gradient) in parameters.iter_mut().zip(squares).zip(gradient) {
                        let gradient = next(*parameter, square, *gradient);
                        *parameter -= lr * (gradient / (square.sqrt() + eps));
                    }
                });
            }
            [] => unreachable!("the mean square is kept"),
        }
    }
}
