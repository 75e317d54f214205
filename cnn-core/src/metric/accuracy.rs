use super::MetricError;
use super::error::check_counts;

/// The share of predictions that are the true class, from 0 to 1; NaN where there are none.
///
/// # Errors
///
/// [`MetricError::Counts`] when there are not as many of one as of the other.
pub fn accuracy(predicted: &[usize], truth: &[usize]) -> Result<f64, MetricError> {
    let mut accuracy = Accuracy::new();
    accuracy.update(truth, predicted)?;
    Ok(accuracy.value())
}

/// [`accuracy`], over as many batches as there are.
///
/// ```
/// use cnn_core::metric::Accuracy;
///
/// let mut accuracy = Accuracy::new();
/// accuracy.update(&[1, 2], &[1, 0])?;
/// accuracy.update(&[3, 3], &[3, 3])?;
/// assert_eq!(accuracy.value(), 0.75);
/// # Ok::<(), cnn_core::metric::MetricError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accuracy {
    correct: u64,
    total: u64,
}

impl Accuracy {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one prediction.
    pub fn record(&mut self, truth: usize, predicted: usize) {
        self.count(truth == predicted);
    }

    pub(super) fn count(&mut self, is_right: bool) {
        self.correct += u64::from(is_right);
        self.total += 1;
    }

    /// Counts those of a batch.
    ///
    /// # Errors
    ///
    /// [`MetricError::Counts`] when there are not as many of one as of the other.
    pub fn update(&mut self, truth: &[usize], predicted: &[usize]) -> Result<(), MetricError> {
        check_counts(truth.len(), predicted.len())?;
        truth.iter().zip(predicted).for_each(|(truth, predicted)| self.record(*truth, *predicted));
        Ok(())
    }

    /// Forgets all.
    pub fn reset(&mut self) {
        *self = Self::new();
    }

    /// Number of right predictions.
    pub fn correct(&self) -> u64 {
        self.correct
    }

    /// Number of predictions.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The share of right predictions; NaN where there are none.
    pub fn value(&self) -> f64 {
        self.correct as f64 / self.total as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracy_counts_what_is_right() {
        assert_eq!(accuracy(&[1, 2, 3, 4], &[1, 2, 0, 4]), Ok(0.75));
        assert!(accuracy(&[], &[]).unwrap().is_nan());
    }

    #[test]
    fn a_batch_of_other_counts_is_an_error_and_counts_nothing() {
        let mut accuracy = Accuracy::new();
        let error = accuracy.update(&[0, 1], &[0]).unwrap_err();
        assert_eq!(error.to_string(), "expected 2 predictions, as many as true classes, found 1");
        assert_eq!(accuracy, Accuracy::new());
    }

    #[test]
    fn what_is_reset_has_seen_nothing() {
        let mut accuracy = Accuracy::new();
        accuracy.record(1, 1);
        assert_eq!((accuracy.correct(), accuracy.total()), (1, 1));
        accuracy.reset();
        assert_eq!(accuracy, Accuracy::new());
    }
}
