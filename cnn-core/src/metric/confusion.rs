use std::fmt;

use super::error::{check_class, check_counts};
use super::{Average, MetricError, PrecisionRecall};

/// How often each class was taken for each: rows are the true classes, columns the predicted ones, as in scikit-learn.
/// <https://scikit-learn.org/stable/modules/generated/sklearn.metrics.confusion_matrix.html>
///
/// Shares are from 0 to 1; one of nothing is NaN (scikit-learn has 0 and a warning there, and so have
/// [`of_class`](Self::of_class) and [`average`](Self::average), without the warning).
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
/// assert_eq!(matrix.of_class(0).f1, 0.8);
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
    ignored: Option<usize>,
}

impl<const CLASSES: usize> Default for ConfusionMatrix<CLASSES> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const CLASSES: usize> ConfusionMatrix<CLASSES> {
    /// A matrix that has seen nothing.
    pub fn new() -> Self {
        Self { counts: vec![[0; CLASSES]; CLASSES], ignored: None }
    }

    /// One that counts nothing whose true class is this number, such as 255 of a mask, or `CLASSES` of
    /// [labels](crate::loss::Labels::ignoring) of which some do not count.
    #[must_use]
    pub fn ignoring(self, ignored: usize) -> Self {
        Self { ignored: Some(ignored), ..self }
    }

    /// Counts one prediction.
    ///
    /// # Errors
    ///
    /// [`MetricError::Class`] when one of the two is no class.
    pub fn record(&mut self, truth: usize, predicted: usize) -> Result<(), MetricError> {
        self.update(&[truth], &[predicted])
    }

    /// Counts the predictions of a batch.
    ///
    /// # Errors
    ///
    /// [`MetricError::Counts`] when there are not as many as true classes; [`MetricError::Class`] when one of either is no class.
    pub fn update(&mut self, truth: &[usize], predicted: &[usize]) -> Result<(), MetricError> {
        check_counts(truth.len(), predicted.len())?;
        let ignored = self.ignored;
        let counted = || truth.iter().zip(predicted).filter(|(truth, _)| Some(**truth) != ignored);
        for (truth, predicted) in counted() {
            check_class(CLASSES, *truth)?;
            check_class(CLASSES, *predicted)?;
        }
        counted().for_each(|(truth, predicted)| self.counts[*truth][*predicted] += 1);
        Ok(())
    }

    /// Forgets all that was counted.
    pub fn reset(&mut self) {
        self.counts.fill([0; CLASSES]);
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
        let [truth, _] = self.totals(class);
        self.counts[class][class] as f64 / truth as f64
    }

    /// Of all that were taken for `class`, the share that is; NaN where there are none.
    ///
    /// # Panics
    ///
    /// As a slice's index, if there is no such class.
    pub fn precision(&self, class: usize) -> f64 {
        let [_, predicted] = self.totals(class);
        self.counts[class][class] as f64 / predicted as f64
    }

    /// How often a class is true, and how often it was predicted.
    fn totals(&self, class: usize) -> [u64; 2] {
        [self.counts[class].iter().sum(), self.counts.iter().map(|row| row[class]).sum()]
    }

    /// Precision, recall and F1 of a class; 0 where one divides by zero.
    ///
    /// # Panics
    ///
    /// As a slice's index, if there is no such class.
    pub fn of_class(&self, class: usize) -> PrecisionRecall {
        let [truth, predicted] = self.totals(class);
        PrecisionRecall::new(self.counts[class][class], truth, predicted)
    }

    /// Precision, recall and F1 of all classes that occur, as truth or as prediction, as scikit-learn averages them; 0 where there
    /// are none.
    pub fn average(&self, average: Average) -> PrecisionRecall {
        if average == Average::Micro {
            return PrecisionRecall::new(self.correct(), self.total(), self.total());
        }
        let weight = |[truth, predicted]: [u64; 2]| match average {
            Average::Weighted => truth as f64,
            _ if truth + predicted > 0 => 1.0,
            _ => 0.0,
        };
        PrecisionRecall::mean((0..CLASSES).map(|class| (weight(self.totals(class)), self.of_class(class))))
    }

    /// Intersection over union: of all that are `class` or were taken for it, the share that both is true of; NaN where
    /// there are none.
    ///
    /// # Panics
    ///
    /// As a slice's index, if there is no such class.
    pub fn intersection_over_union(&self, class: usize) -> f64 {
        let [truth, predicted] = self.totals(class);
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
    use proptest::prelude::*;

    use super::*;

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
    /// The truth and predictions that the numbers below are of; there is no class 3.
    const TRUTH: [usize; 10] = [0, 0, 0, 1, 1, 2, 2, 2, 2, 4];
    const PREDICTED: [usize; 10] = [0, 1, 0, 1, 1, 2, 0, 2, 4, 2];

    fn close(found: PrecisionRecall, expected: [f64; 3]) {
        for (found, expected) in [found.precision, found.recall, found.f1].into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-15, "{found} {expected}");
        }
    }

    #[test]
    fn precision_recall_and_f1_are_scikit_learns() {
        let mut matrix = ConfusionMatrix::<5>::new();
        matrix.update(&TRUTH, &PREDICTED).unwrap();
        // precision_recall_fscore_support(truth, predicted, zero_division = 0), scikit-learn 1.9.1.
        close(matrix.of_class(0), [0.6666666666666666, 0.6666666666666666, 0.6666666666666666]);
        close(matrix.of_class(1), [0.6666666666666666, 1.0, 0.8]);
        close(matrix.of_class(2), [0.6666666666666666, 0.5, 0.5714285714285714]);
        close(matrix.of_class(3), [0.0; 3]);
        close(matrix.of_class(4), [0.0; 3]);
        // The same with average = "macro", "micro" and "weighted".
        close(matrix.average(Average::Macro), [0.5, 0.5416666666666666, 0.5095238095238095]);
        close(matrix.average(Average::Micro), [0.6; 3]);
        close(matrix.average(Average::Weighted), [0.6, 0.6, 0.5885714285714286]);
        // jaccard_score(truth, predicted, average = "macro"), which leaves class 3 out, too.
        assert!((matrix.mean_intersection_over_union() - 0.3916666666666666).abs() < 1e-15);
    }

    #[test]
    fn averages_of_nothing_are_zero() {
        let matrix = ConfusionMatrix::<3>::new();
        for average in [Average::Macro, Average::Micro, Average::Weighted] {
            assert_eq!(matrix.average(average), PrecisionRecall::default());
        }
    }

    #[test]
    fn a_batch_with_an_unknown_class_counts_nothing() {
        let mut matrix = ConfusionMatrix::<3>::new();
        assert_eq!(matrix.update(&[0, 3], &[0, 0]), Err(MetricError::Class { classes: 3, found: 3 }));
        assert_eq!(matrix.update(&[0, 1], &[0, 4]), Err(MetricError::Class { classes: 3, found: 4 }));
        assert_eq!(matrix.update(&[0, 1], &[0]), Err(MetricError::Counts { expected: 2, found: 1 }));
        assert_eq!(matrix.total(), 0);
    }

    #[test]
    fn what_is_ignored_does_not_count() {
        let mut matrix = ConfusionMatrix::<2>::new().ignoring(255);
        matrix.update(&[0, 255, 1], &[0, 1, 0]).unwrap();
        assert_eq!((matrix.total(), matrix.correct(), matrix.count(1, 0)), (2, 1, 1));
        assert_eq!(matrix.record(254, 0), Err(MetricError::Class { classes: 2, found: 254 }));
        matrix.reset();
        assert_eq!(matrix, ConfusionMatrix::new().ignoring(255));
    }

    proptest! {
        #[test]
        fn averages_are_what_counting_the_predictions_makes(
            pairs in proptest::collection::vec((0..4_usize, 0..4_usize), 1..30),
            cut in 0..30_usize,
        ) {
            let (truth, predicted): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
            let cut = cut.min(pairs.len());
            let mut matrix = ConfusionMatrix::<4>::new();
            matrix.update(&truth[..cut], &predicted[..cut]).unwrap();
            matrix.update(&truth[cut..], &predicted[cut..]).unwrap();

            let count = |is: &dyn Fn(usize, usize) -> bool| pairs.iter().filter(|(t, p)| is(*t, *p)).count() as f64;
            let share = |part: f64, of: f64| if of == 0.0 { 0.0 } else { part / of };
            let (mut of_macro, mut of_weighted, mut classes) = ([0.0; 3], [0.0; 3], 0.0);
            for class in 0..4 {
                let both = count(&|t, p| t == class && p == class);
                let (right, taken) = (count(&|t, _| t == class), count(&|_, p| p == class));
                let [precision, recall] = [share(both, taken), share(both, right)];
                let of_class = [precision, recall, share(2.0 * precision * recall, precision + recall)];
                let found = matrix.of_class(class);
                for (found, expected) in [found.precision, found.recall, found.f1].into_iter().zip(of_class) {
                    prop_assert!((found - expected).abs() < 1e-12);
                }
                classes += if right + taken > 0.0 { 1.0 } else { 0.0 };
                for (place, of_class) in of_class.into_iter().enumerate() {
                    of_macro[place] += of_class;
                    of_weighted[place] += right * of_class / pairs.len() as f64;
                }
            }
            let right = count(&|t, p| t == p) / pairs.len() as f64;
            for (average, expected) in [
                (Average::Macro, of_macro.map(|sum| sum / classes)),
                (Average::Micro, [right; 3]),
                (Average::Weighted, of_weighted),
            ] {
                let found = matrix.average(average);
                for (found, expected) in [found.precision, found.recall, found.f1].into_iter().zip(expected) {
                    prop_assert!((found - expected).abs() < 1e-12, "{average:?}: {found} {expected}");
                }
            }
        }
    }
}
