/// Precision, recall and F1 of a class, or of all of them averaged, from 0 to 1, by scikit-learn's definitions: where one divides
/// by zero, it is 0 (`zero_division = 0`).
/// <https://scikit-learn.org/stable/modules/generated/sklearn.metrics.precision_recall_fscore_support.html>
///
/// See [`ConfusionMatrix::of_class`](super::ConfusionMatrix::of_class) and
/// [`ConfusionMatrix::average`](super::ConfusionMatrix::average).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PrecisionRecall {
    /// Of all that were taken for the class, the share that is.
    pub precision: f64,
    /// Of all that are of the class, the share that was recognised.
    pub recall: f64,
    /// The harmonic mean of the two.
    pub f1: f64,
}

/// How the numbers of several classes become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Average {
    /// Their mean, each class as much as the others.
    Macro,
    /// The number of all predictions together: where each has one class, precision, recall and F1 are all the accuracy.
    Micro,
    /// Their mean, each class as much as it has true samples.
    Weighted,
}

impl PrecisionRecall {
    /// Of so many that are of a class and were taken for it, of those that are, and of those that were taken for it.
    pub(super) fn new(both: u64, truth: u64, predicted: u64) -> Self {
        let share = |part: u64, of: u64| if of == 0 { 0.0 } else { part as f64 / of as f64 };
        Self { precision: share(both, predicted), recall: share(both, truth), f1: share(2 * both, truth + predicted) }
    }

    /// A mean, each as much as its weight.
    pub(super) fn mean(of: impl Iterator<Item = (f64, Self)>) -> Self {
        let (mut sum, mut weights) = (Self::default(), 0.0);
        for (weight, of) in of {
            sum.precision += weight * of.precision;
            sum.recall += weight * of.recall;
            sum.f1 += weight * of.f1;
            weights += weight;
        }
        if weights == 0.0 {
            return Self::default();
        }
        Self { precision: sum.precision / weights, recall: sum.recall / weights, f1: sum.f1 / weights }
    }
}
