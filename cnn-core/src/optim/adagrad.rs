use super::invalid::{check_epsilon, check_not_negative};
use super::{InvalidOption, Rule, in_chunks, sign};

/// Descent by the gradient divided by the root of the sum of all its squares so far.
///
/// With PyTorch's names, defaults and formulas: <https://pytorch.org/docs/stable/generated/torch.optim.Adagrad.html>
///
/// ```
/// use cnn_core::optim::AdagradOptions;
///
/// AdagradOptions::new(0.05).lr_decay(1e-3).validate()?;
/// # Ok::<(), cnn_core::optim::InvalidOption>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdagradOptions {
    /// Learning rate.
    pub lr: f64,
    /// The rate of step `n` is `lr / (1 + (n - 1) lr_decay)`.
    pub lr_decay: f64,
    /// Share of the parameters that is added to the gradient.
    pub weight_decay: f64,
    /// What the sums of squares start at.
    pub initial_accumulator_value: f64,
    /// What keeps the division from dividing by zero: added to the root.
    pub eps: f64,
    /// Whether to go up the gradient.
    pub maximize: bool,
}

impl Default for AdagradOptions {
    fn default() -> Self {
        Self { lr: 1e-2, lr_decay: 0.0, weight_decay: 0.0, initial_accumulator_value: 0.0, eps: 1e-10, maximize: false }
    }
}

impl AdagradOptions {
    /// At a learning rate.
    pub fn new(lr: f64) -> Self {
        Self { lr, ..Self::default() }
    }

    setters! {
        /// Sets the learning rate.
        lr: f64,
        /// Sets how fast the learning rate falls.
        lr_decay: f64,
        /// Sets the weight decay.
        weight_decay: f64,
        /// Sets what the sums of squares start at.
        initial_accumulator_value: f64,
        /// Sets what keeps the division from dividing by zero.
        eps: f64,
        /// Sets whether it goes up the gradient.
        maximize: bool,
    }

    /// Checks every value.
    ///
    /// # Errors
    ///
    /// Names the first that is negative or not finite. An `eps` of zero, which PyTorch takes, is refused too.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        check_not_negative(self.lr, InvalidOption::LearningRate)?;
        check_not_negative(self.lr_decay, InvalidOption::LrDecay)?;
        check_not_negative(self.weight_decay, InvalidOption::WeightDecay)?;
        check_not_negative(self.initial_accumulator_value, InvalidOption::InitialAccumulatorValue)?;
        check_epsilon(self.eps)
    }
}

impl Rule for AdagradOptions {
    const NAME: &'static str = "Adagrad";
    const KEEPS: &'static [&'static str] = &["sum"];

    fn initial(&self) -> f32 {
        self.initial_accumulator_value as f32
    }

    by_its_options!(lr, lr_decay, weight_decay, initial_accumulator_value, eps, maximize);

    fn update(&self, step: u64, parameters: &mut [f32], gradient: &[f32], kept: &mut [&mut [f32]]) {
        let [sums, ..] = kept else { unreachable!("the sum is kept") };
        let rate = (self.lr / (1.0 + (step - 1) as f64 * self.lr_decay)) as f32;
        let (eps, weight_decay, sign) = (self.eps as f32, self.weight_decay as f32, sign(self.maximize));
        in_chunks(parameters, [sums], gradient, &move |parameters, [sums], gradient| {
            for ((parameter, sum), gradient) in parameters.iter_mut().zip(sums).zip(gradient) {
                let gradient = sign * gradient + weight_decay * *parameter;
                *sum += gradient * gradient;
                *parameter -= rate * (gradient / (sum.sqrt() + eps));
            }
        });
    }
}
