//! How good predictions are. Knows classes as numbers, and no networks or tensors.

use std::fmt;

/// Predictions that cannot be judged. Nothing is counted then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// A class that there is not among the matrix's.
    #[error("expected a class below {classes}, found {found}")]
    Class {
        /// The number of classes.
        classes: usize,
        /// What was given.
        found: usize,
    },
    /// Not a prediction for each true class.
    #[error("expected {expected} predictions, as many as true classes, found {found}")]
    Counts {
        /// True classes.
        expected: usize,
        /// Predictions.
        found: usize,
    },
}

/// The share of predictions that are the true class, from 0 to 1; NaN where there are none.
///
/// # Errors
///
/// [`MetricError::Counts`] when there are not as many of one as of the other.
pub fn accuracy(predicted: &[usize], truth: &[usize]) -> Result<f64, MetricError> {
    if predicted.len() != truth.len() {
        return Err(MetricError::Counts { expected: truth.len(), found: predicted.len() });
    }
    let right = predicted.iter().zip(truth).filter(|(predicted, truth)| predicted == truth).count();
    Ok(right as f64 / truth.len() as f64)
}

/// How often each class was taken for each: rows are the true classes, columns the predicted ones, as in scikit-learn.
/// <https://scikit-learn.org/stable/modules/generated/sklearn.metrics.confusion_matrix.html>
///
/// Shares are from 0 to 1; one of nothing is NaN (scikit-learn has 0 and a warning there).
///
/// Printed, it is a table with recall at the end of each row and precision under each column, in percent.
///
/// ```
/// use cnn_core::metric::ConfusionMatrix;
///
/// let mut matrix = ConfusionMatrix::<2>::new();
/// for (truth, predicted) in [(0, 0), (0, 0), (0, 1), (1, 1)] {
///     matrix.record(truth, predicted)?;
/// }
/// assert_eq!(matrix.accuracy(), 0.75);
/// assert_eq!(
///     matrix.to_string(),
///     "\
/// true\\pred     0     1   recall
///         0     2     1     66.7
///         1     0     1    100.0
/// precision 100.0  50.0
/// "
/// );
/// # Ok::<(), cnn_core::metric::MetricError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfusionMatrix<const CLASSES: usize> {
    counts: Vec<[u64; CLASSES]>,
}

impl<const CLASSES: usize> Default for ConfusionMatrix<CLASSES> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const CLASSES: usize> ConfusionMatrix<CLASSES> {
    /// A matrix that has seen nothing.
    pub fn new() -> Self {
        Self { counts: vec![[0; CLASSES]; CLASSES] }
    }

    /// Counts one prediction.
    ///
    /// # Errors
    ///
    /// [`MetricError::Class`] when one of the two is no class.
    pub fn record(&mut self, truth: usize, predicted: usize) -> Result<(), MetricError> {
        for found in [truth, predicted] {
            if found >= CLASSES {
                return Err(MetricError::Class { classes: CLASSES, found });
            }
        }
        self.counts[truth][predicted] += 1;
        Ok(())
    }

    /// How often `truth` was taken for `predicted`.
    ///
    /// # Panics
    ///
    /// As a slice's index, if there is no such class.
    pub fn count(&self, truth: usize, predicted: usize) -> u64 {
        self.counts[truth][predicted]
    }

    /// Number of predictions.
    pub fn total(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    /// Number of right predictions.
    pub fn correct(&self) -> u64 {
        (0..CLASSES).map(|class| self.counts[class][class]).sum()
    }

    /// The share of right predictions; NaN where there are none.
    pub fn accuracy(&self) -> f64 {
        self.correct() as f64 / self.total() as f64
    }

    /// Of all that are `class`, the share that was recognised; NaN where there are none.
    ///
    /// # Panics
    ///
    /// As a slice's index, if there is no such class.
    pub fn recall(&self, class: usize) -> f64 {
        self.counts[class][class] as f64 / self.counts[class].iter().sum::<u64>() as f64
    }

    /// Of all that were taken for `class`, the share that is; NaN where there are none.
    ///
    /// # Panics
    ///
    /// As a slice's index, if there is no such class.
    pub fn precision(&self, class: usize) -> f64 {
        self.counts[class][class] as f64 / self.counts.iter().map(|row| row[class]).sum::<u64>() as f64
    }

    /// Intersection over union: of all that are `class` or were taken for it, the share that both is true of; NaN where
    /// there are none.
    ///
    /// # Panics
    ///
    /// As a slice's index, if there is no such class.
    pub fn intersection_over_union(&self, class: usize) -> f64 {
        let truth: u64 = self.counts[class].iter().sum();
        let predicted: u64 = self.counts.iter().map(|row| row[class]).sum();
        let both = self.counts[class][class];
        both as f64 / (truth + predicted - both) as f64
    }

    /// The mean of [`intersection_over_union`](Self::intersection_over_union) over the classes that occur, as truth or as
    /// prediction: how well pixels are told apart, where most of them are of one class. NaN where there are none.
    pub fn mean_intersection_over_union(&self) -> f64 {
        let of_classes = (0..CLASSES).map(|class| self.intersection_over_union(class)).filter(|share| !share.is_nan());
        let (sum, classes) = of_classes.fold((0.0, 0), |(sum, classes), share| (sum + share, classes + 1));
        sum / f64::from(classes)
    }
}

impl<const CLASSES: usize> fmt::Display for ConfusionMatrix<CLASSES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let largest = self.counts.iter().flatten().max().copied().unwrap_or(0);
        // Wide enough for `100.0` too.
        let width = largest.to_string().len().max(5);
        write!(f, "true\\pred")?;
        for class in 0..CLASSES {
            write!(f, " {class:>width$}")?;
        }
        writeln!(f, "   recall")?;
        for (class, row) in self.counts.iter().enumerate() {
            write!(f, "{class:>9}")?;
            for count in row {
                write!(f, " {count:>width$}")?;
            }
            writeln!(f, " {:>8}", percent(self.recall(class)))?;
        }
        write!(f, "{:>9}", "precision")?;
        for class in 0..CLASSES {
            write!(f, " {:>width$}", percent(self.precision(class)))?;
        }
        writeln!(f)
    }
}

fn percent(share: f64) -> String {
    if share.is_nan() { "-".into() } else { format!("{:.1}", 100.0 * share) }
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
    fn rows_are_true_classes() {
        let mut matrix = ConfusionMatrix::<3>::new();
        matrix.record(0, 2).unwrap();
        matrix.record(2, 2).unwrap();
        assert_eq!((matrix.count(0, 2), matrix.count(2, 0)), (1, 0));
        assert_eq!((matrix.recall(0), matrix.recall(2)), (0.0, 1.0));
        assert_eq!(matrix.precision(2), 0.5);
        assert_eq!((matrix.correct(), matrix.total()), (1, 2));
    }

    #[test]
    fn a_union_counts_both_kinds_of_mistakes() {
        let mut matrix = ConfusionMatrix::<3>::new();
        for (truth, predicted, times) in [(0, 0, 5), (0, 1, 1), (1, 0, 2), (1, 1, 2)] {
            for _ in 0..times {
                matrix.record(truth, predicted).unwrap();
            }
        }
        assert_eq!(matrix.intersection_over_union(0), 5.0 / 8.0);
        assert_eq!(matrix.intersection_over_union(1), 2.0 / 5.0);
        assert!(matrix.intersection_over_union(2).is_nan());
        assert_eq!(matrix.mean_intersection_over_union(), (5.0 / 8.0 + 2.0 / 5.0) / 2.0);
        assert!(ConfusionMatrix::<3>::new().mean_intersection_over_union().is_nan());
    }

    #[test]
    fn an_unknown_class_is_an_error_and_counts_nothing() {
        let mut matrix = ConfusionMatrix::<3>::new();
        for (truth, predicted) in [(3, 0), (0, 3)] {
            let error = matrix.record(truth, predicted).unwrap_err();
            assert_eq!(error.to_string(), "expected a class below 3, found 3");
        }
        assert_eq!(matrix, ConfusionMatrix::default());
    }

    #[test]
    fn a_class_never_seen_has_no_percentage() {
        let mut matrix = ConfusionMatrix::<2>::new();
        matrix.record(1, 1).unwrap();
        assert_eq!(
            matrix.to_string(),
            "true\\pred     0     1   recall\n\
             \x20       0     0     0        -\n\
             \x20       1     0     1    100.0\n\
             precision     - 100.0\n"
        );
    }
}
