//! Learning rates that change in the course of a training, as functions of the step alone: nothing is counted, so a
//! training that is taken up again goes on where it was.
//!
//! Each is PyTorch's scheduler of its name, by the formula of PyTorch's page of it, or what its recursion comes to; `step` is the number of steps already
//! taken (PyTorch's `last_epoch`), from 0, in whatever unit the sizes are given in: steps or epochs. A schedule that
//! [`validate`](StepLr::validate) refuses has no learning rate at any step, but the same error.
//! <https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate>
//!
//! ```
//! use cnn_core::optim::schedule::StepLr;
//!
//! let schedule = StepLr { lr: 0.1, step_size: 30, gamma: 0.1 };
//! assert_eq!(schedule.lr(29)?, 0.1);
//! let error = StepLr { step_size: 0, ..schedule }.lr(29).unwrap_err();
//! assert_eq!(error.to_string(), "step_size = 0: a learning rate falls every 1 step or more");
//! # Ok::<(), cnn_core::optim::InvalidOption>(())
//! ```
//!
//! In a training, `optimizer.set_lr(schedule.lr(training.step())?)?` before each step. Where a network has
//! [groups](crate::train::Sgd::group) of parameters, their rates stay in proportion.
//!
//! [`Sequential`] lets one follow another, [`Chained`] multiplies them; the one that depends on more than the step is
//! [`ReduceLrOnPlateau`].
//!
//! ```
//! use cnn_core::optim::schedule::{CosineAnnealingLr, LinearLr, Schedule, Sequential};
//!
//! // A warm-up of 500 steps, and half a wave down to zero.
//! let warm_up = LinearLr { lr: 0.1, start_factor: 0.01, end_factor: 1.0, total_iters: 500 };
//! let wave = CosineAnnealingLr { lr: 0.1, t_max: 9_500, eta_min: 0.0 };
//! let schedule = Sequential(&[(0, &warm_up), (500, &wave)]);
//! assert_eq!([0, 500, 10_000].map(|step| schedule.lr(step)), [Ok(0.001), Ok(0.1), Ok(0.0)]);
//! ```

mod chain;
mod cosine;
mod decay;
mod one_cycle;
mod plateau;
mod ramp;

pub use chain::{Chained, Sequential};
pub use cosine::{CosineAnnealingLr, CosineAnnealingWarmRestarts};
pub use decay::{ExponentialLr, MultiStepLr, StepLr};
pub use one_cycle::OneCycleLr;
pub use plateau::{Better, ReduceLrOnPlateau, Threshold};
pub use ramp::{ConstantLr, LinearLr, PolynomialLr};

use super::InvalidOption;

/// A learning rate as a function of the step.
pub trait Schedule {
    /// The learning rate after `step` steps.
    ///
    /// # Errors
    ///
    /// Names the first value of the schedule that makes no sense.
    fn lr(&self, step: u64) -> Result<f64, InvalidOption>;
}

macro_rules! schedule {
    ($($name:ident$(<$lifetime:lifetime>)?),* $(,)?) => {
        $(impl$(<$lifetime>)? Schedule for $name$(<$lifetime>)? {
            fn lr(&self, step: u64) -> Result<f64, InvalidOption> {
                self.lr(step)
            }
        })*
    };
}

schedule!(
    StepLr,
    MultiStepLr<'a>,
    ExponentialLr,
    ConstantLr,
    LinearLr,
    PolynomialLr,
    CosineAnnealingLr,
    CosineAnnealingWarmRestarts,
    OneCycleLr,
);
