use super::clip::{middle, sum_of_squares};
use super::invalid::{check_betas, check_epsilon, check_not_negative};
use super::{CHUNK, InvalidOption, Rule, in_chunks, sign};
use crate::kernel::memory::chunk::join;

/// Adam with a length of step for each tensor that is in proportion to the tensor's own: for large batches.
/// <https://arxiv.org/abs/1904.00962>
///
/// The update of a tensor is Adam's direction plus its share of the weights; it is scaled to `length of the weights / length of
/// the update`, or left alone where one of them is zero. PyTorch has none; the numbers are the paper's with its bias correction.
///
/// ```
/// use cnn_core::optim::LambOptions;
///
/// LambOptions::new(2e-3).weight_decay(0.02).validate()?;
/// # Ok::<(), cnn_core::optim::InvalidOption>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LambOptions {
    /// Learning rate.
    pub lr: f64,
    /// Decay rates of the running means of the gradient and of its square.
    pub betas: [f64; 2],
    /// What keeps the division from dividing by zero: added to the root.
    pub eps: f64,
    /// Share of the parameters that is added to the direction.
    pub weight_decay: f64,
    /// Whether to go up the gradient.
    pub maximize: bool,
}

impl Default for LambOptions {
    fn default() -> Self {
        Self { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-6, weight_decay: 1e-2, maximize: false }
    }
}

impl LambOptions {
    /// At a learning rate.
    pub fn new(lr: f64) -> Self {
        Self { lr, ..Self::default() }
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
        /// Sets whether it goes up the gradient.
        maximize: bool,
    }

    /// Checks every value.
    ///
    /// # Errors
    ///
    /// Names the first that is negative, not finite, or not what it is for.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        check_not_negative(self.lr, InvalidOption::LearningRate)?;
        check_betas(self.betas)?;
        check_epsilon(self.eps)?;
        check_not_negative(self.weight_decay, InvalidOption::WeightDecay)
    }
}

/// What the means make of a parameter before it is scaled.
#[derive(Clone, Copy)]
struct Direction {
    /// What makes up for the means' start at zero.
    inverse_mean: f32,
    inverse_root: f32,
    eps: f32,
    weight_decay: f32,
}

impl Direction {
    fn of(self, parameter: f32, mean: f32, mean_square: f32) -> f32 {
        let Self { inverse_mean, inverse_root, eps, weight_decay } = self;
        mean * inverse_mean / (mean_square.sqrt() * inverse_root + eps) + weight_decay * parameter
    }

    /// The sum of the squares of a tensor's, in an order that its length alone says.
    fn sum_of_squares(self, parameters: &[f32], exp_avg: &[f32], exp_avg_sq: &[f32]) -> f64 {
        if parameters.len() > CHUNK {
            let middle = middle(parameters.len());
            let (first, second) = parameters.split_at(middle);
            let ((mean, second_mean), (square, second_square)) =
                (exp_avg.split_at(middle), exp_avg_sq.split_at(middle));
            let (left, right) = join(
                || self.sum_of_squares(first, mean, square),
                || self.sum_of_squares(second, second_mean, second_square),
            );
            return left + right;
        }
        let squares = parameters.iter().zip(exp_avg).zip(exp_avg_sq).map(|((parameter, mean), mean_square)| {
            let direction = f64::from(self.of(*parameter, *mean, *mean_square));
            direction * direction
        });
        squares.sum()
    }
}

impl Rule for LambOptions {
    const NAME: &'static str = "LAMB";
    const KEEPS: &'static [&'static str] = &["exp_avg", "exp_avg_sq"];
    const BY_TENSOR: bool = true;

    by_its_options!(lr, betas, eps, weight_decay, maximize);

    fn update(&self, step: u64, parameters: &mut [f32], gradient: &[f32], kept: &mut [&mut [f32]]) {
        let [exp_avg, exp_avg_sq, ..] = kept else { unreachable!("the means are kept") };
        let ([beta1, beta2], sign) = (self.betas, sign(self.maximize));
        let (keep1, take1) = (beta1 as f32, (1.0 - beta1) as f32);
        let (keep2, take2) = (beta2 as f32, (1.0 - beta2) as f32);
        let means = [&mut **exp_avg, &mut **exp_avg_sq];
        in_chunks(parameters, means, gradient, &move |_, [exp_avg, exp_avg_sq], gradient| {
            for ((mean, mean_square), gradient) in exp_avg.iter_mut().zip(exp_avg_sq).zip(gradient) {
                let gradient = sign * gradient;
                *mean = keep1 * *mean + take1 * gradient;
                *mean_square = keep2 * *mean_square + take2 * gradient * gradient;
            }
        });
        let direction = Direction {
            inverse_mean: (1.0 / (1.0 - beta1.powf(step as f64))) as f32,
            inverse_root: (1.0 / (1.0 - beta2.powf(step as f64)).sqrt()) as f32,
            eps: self.eps as f32,
            weight_decay: self.weight_decay as f32,
        };
        let lengths = [sum_of_squares(parameters), direction.sum_of_squares(parameters, exp_avg, exp_avg_sq)];
        let [of_weights, of_update] = lengths.map(f64::sqrt);
        let trust = if of_weights > 0.0 && of_update > 0.0 { of_weights / of_update } else { 1.0 };
        let scale = (self.lr * trust) as f32;
        in_chunks(parameters, [exp_avg, exp_avg_sq], gradient, &move |parameters, [exp_avg, exp_avg_sq], _| {
            for ((parameter, mean), mean_square) in parameters.iter_mut().zip(exp_avg).zip(exp_avg_sq) {
                *parameter -= scale * direction.of(*parameter, *mean, *mean_square);
            }
        });
    }
}
