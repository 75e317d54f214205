//! Schedules of schedules.

use core::fmt;

use super::Schedule;
use crate::optim::InvalidOption;

/// One schedule after the other: each from a step on, which it counts from. The first begins at 0.
///
/// <https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.SequentialLR.html>
#[derive(Clone, Copy)]
pub struct Sequential<'a>(pub &'a [(u64, &'a dyn Schedule)]);

impl Schedule for Sequential<'_> {
    /// The learning rate after `step` steps.
    ///
    /// # Errors
    ///
    /// [`InvalidOption::Milestones`] when they are not in ascending order, the first not at 0; what the schedule of this step
    /// says.
    fn lr(&self, step: u64) -> Result<f64, InvalidOption> {
        let is_in_order = self.0.is_sorted_by(|(one, _), (other, _)| one < other);
        if !is_in_order || self.0.first().is_none_or(|(begin, _)| *begin != 0) {
            return Err(InvalidOption::Milestones);
        }
        let behind = self.0.partition_point(|(begin, _)| *begin <= step);
        let (begin, schedule) = self.0[behind - 1];
        schedule.lr(step - begin)
    }
}

/// The product of schedules, of which all but one are usually of a learning rate of 1.
///
/// <https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ChainedScheduler.html>
///
/// ```
/// use cnn_core::optim::schedule::{Chained, ConstantLr, ExponentialLr, Schedule};
///
/// let fall = ExponentialLr { lr: 0.1, gamma: 0.9 };
/// let gentle_start = ConstantLr { lr: 1.0, factor: 0.1, total_iters: 2 };
/// let schedule = Chained(&[&fall, &gentle_start]);
/// assert!((schedule.lr(1)? - 0.009).abs() < 1e-12);
/// assert!((schedule.lr(2)? - 0.081).abs() < 1e-12);
/// # Ok::<(), cnn_core::optim::InvalidOption>(())
/// ```
#[derive(Clone, Copy)]
pub struct Chained<'a>(pub &'a [&'a dyn Schedule]);

impl Schedule for Chained<'_> {
    fn lr(&self, step: u64) -> Result<f64, InvalidOption> {
        self.0.iter().try_fold(1.0, |product, schedule| Ok(product * schedule.lr(step)?))
    }
}

impl fmt::Debug for Sequential<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Sequential").field(&self.0.iter().map(|(begin, _)| begin).collect::<Vec<_>>()).finish()
    }
}

impl fmt::Debug for Chained<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Chained({} schedules)", self.0.len())
    }
}
