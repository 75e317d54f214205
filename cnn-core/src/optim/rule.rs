//! What an optimizer does with each parameter.

use core::fmt;

use super::InvalidOption;
use super::invalid::check_lengths;

/// An optimizer's options, which say what a step makes of parameters and their gradient. [`train`](crate::train) has the
/// optimizers of networks that keep what it takes from step to step.
///
/// ```
/// use cnn_core::optim::{AdamOptions, Rule};
///
/// let (mut parameters, mut exp_avg, mut exp_avg_sq) = ([1.0, 2.0], [0.0; 2], [0.0; 2]);
/// let options = AdamOptions::new(0.1);
/// options.step(1, &mut parameters, &[0.5, -0.5], &mut [&mut exp_avg, &mut exp_avg_sq])?;
/// assert!((parameters[0] - 0.9).abs() < 1e-6 && (parameters[1] - 2.1).abs() < 1e-6);
/// # Ok::<(), cnn_core::optim::InvalidOption>(())
/// ```
pub trait Rule: Copy + fmt::Debug + Send + Sync + 'static {
    /// Its name.
    const NAME: &'static str;
    /// Names of all numbers that it may keep of each parameter from step to step, as PyTorch's `state_dict` has them.
    const KEEPS: &'static [&'static str];
    /// Whether it looks at each tensor as a whole, and not at each of its values by itself.
    const BY_TENSOR: bool = false;

    /// How many of [`KEEPS`](Self::KEEPS), from the first on, it keeps with these options.
    fn kept(&self) -> usize {
        Self::KEEPS.len()
    }

    /// What the numbers start as that it keeps.
    fn initial(&self) -> f32 {
        0.0
    }

    /// The learning rate.
    fn learning_rate(&self) -> f64;

    /// The same with another learning rate.
    #[must_use]
    fn with_learning_rate(self, lr: f64) -> Self;

    /// All options by name, one that is several numbers as these, and one that is true or false as 1 or 0: what a
    /// snapshot of a run notes.
    fn numbers(&self) -> Vec<(&'static str, Vec<f64>)>;

    /// The same with one of them as these numbers; none if they cannot be it.
    #[must_use]
    fn with_numbers(self, name: &str, numbers: &[f64]) -> Option<Self>;

    /// Checks every value.
    ///
    /// # Errors
    ///
    /// Names the first that makes no sense.
    fn check(&self) -> Result<(), InvalidOption>;

    /// Step number `step`, counted from 1, of `parameters`, all or one tensor's, down their `gradient`: of options that
    /// [`check`](Self::check) has passed, and of slices of one length, of which there are as many as are [`kept`](Self::kept) or
    /// more.
    fn update(&self, step: u64, parameters: &mut [f32], gradient: &[f32], kept: &mut [&mut [f32]]);

    /// [`update`](Self::update) of what was not checked. `kept` carry over from step to step and start as
    /// [`initial`](Self::initial).
    ///
    /// # Errors
    ///
    /// What [`check`](Self::check) says; [`InvalidOption::Step`] when `step` is zero; [`InvalidOption::Length`] of a slice that
    /// is not as long as the parameters, or is not there.
    fn step(
        &self,
        step: u64,
        parameters: &mut [f32],
        gradient: &[f32],
        kept: &mut [&mut [f32]],
    ) -> Result<(), InvalidOption> {
        self.check()?;
        if step == 0 {
            return Err(InvalidOption::Step);
        }
        check_lengths(parameters.len(), &[("gradient", gradient.len())])?;
        for (index, name) in Self::KEEPS.iter().enumerate().take(self.kept()) {
            check_lengths(parameters.len(), &[(name, kept.get(index).map_or(0, |kept| kept.len()))])?;
        }
        self.update(step, parameters, gradient, &mut kept[..self.kept()]);
        Ok(())
    }
}
