use std::array;
use std::mem::size_of;

use super::MetricError;
use super::error::{check_class, check_counts, check_scores};

/// How well scores put what is of a class before what is not: the sum over all thresholds of `(R_n - R_(n - 1)) P_n`, where `P_n`
/// and `R_n` are precision and recall of all scores that reach the `n`th threshold, from the largest score down. Equal scores are
/// one threshold, and nothing is interpolated, as in scikit-learn.
/// <https://scikit-learn.org/stable/modules/generated/sklearn.metrics.average_precision_score.html>
///
/// Every score is kept, in 8 bytes.
///
/// ```
/// use cnn_core::metric::AveragePrecision;
///
/// let mut precision = AveragePrecision::new();
/// precision.update(&[false, false, true, true], &[0.1, 0.4, 0.35, 0.8])?;
/// assert_eq!(precision.value(), 0.5 * 1.0 + 0.5 * 2.0 / 3.0);
/// # Ok::<(), cnn_core::metric::MetricError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AveragePrecision {
    /// Scores, and whether they are of the class.
    scores: Vec<(f32, bool)>,
}

const _: () = assert!(size_of::<(f32, bool)>() == 8);

impl AveragePrecision {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one score, and whether it is of something that is of the class.
    ///
    /// # Errors
    ///
    /// [`MetricError::NotANumber`].
    pub fn record(&mut self, truth: bool, score: f32) -> Result<(), MetricError> {
        self.update(&[truth], &[score])
    }

    /// Counts the scores of a batch.
    ///
    /// # Errors
    ///
    /// [`MetricError::Counts`] when there are not as many of one as of the other; [`MetricError::NotANumber`].
    pub fn update(&mut self, truth: &[bool], scores: &[f32]) -> Result<(), MetricError> {
        check_counts(truth.len(), scores.len())?;
        check_scores(scores.len(), 1, scores)?;
        self.scores.extend(scores.iter().copied().zip(truth.iter().copied()));
        Ok(())
    }

    /// Forgets all. The memory stays.
    pub fn reset(&mut self) {
        self.scores.clear();
    }

    /// Number of scores.
    pub fn total(&self) -> usize {
        self.scores.len()
    }

    /// The average precision, from 0 to 1; NaN where nothing is of the class (scikit-learn has 0 and a warning there). Sorts the
    /// scores.
    pub fn value(&self) -> f64 {
        let mut scores = self.scores.clone();
        scores.sort_unstable_by(|(a, _), (b, _)| b.total_cmp(a));
        let of_class = scores.iter().filter(|(_, truth)| *truth).count() as f64;
        let (mut sum, mut seen, mut found) = (0.0, 0, 0);
        // `==`, for which the two zeros are one.
        for equals in scores.chunk_by(|(a, _), (b, _)| a == b) {
            let new = equals.iter().filter(|(_, truth)| *truth).count();
            (seen, found) = (seen + equals.len(), found + new);
            sum += new as f64 / of_class * (found as f64 / seen as f64);
        }
        if of_class == 0.0 { f64::NAN } else { sum }
    }
}

/// [`AveragePrecision`] of each of `CLASSES` classes against all others, and its mean: of samples of one class each, or of any
/// number of them.
///
/// ```
/// use cnn_core::metric::MeanAveragePrecision;
///
/// let mut precision = MeanAveragePrecision::<2>::new();
/// precision.update(&[0, 1, 1], &[0.9, 0.1, 0.3, 0.7, 0.6, 0.4])?;
/// assert_eq!(precision.value(), 1.0);
/// // A picture with both.
/// precision.record_labels(&[true, true], &[0.8, 0.9])?;
/// # Ok::<(), cnn_core::metric::MetricError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct MeanAveragePrecision<const CLASSES: usize> {
    classes: [AveragePrecision; CLASSES],
}

impl<const CLASSES: usize> Default for MeanAveragePrecision<CLASSES> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const CLASSES: usize> MeanAveragePrecision<CLASSES> {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self { classes: array::from_fn(|_| AveragePrecision::new()) }
    }

    /// Counts one sample of one class, by its score of each class.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn record(&mut self, truth: usize, scores: &[f32]) -> Result<(), MetricError> {
        self.update(&[truth], scores)
    }

    /// Counts the samples of a batch, each of one class, by rows of scores, `[n, CLASSES]`.
    ///
    /// # Errors
    ///
    /// [`MetricError::Scores`] when they are not as many; [`MetricError::NotANumber`]; [`MetricError::Class`] when a true class is none.
    pub fn update(&mut self, truth: &[usize], scores: &[f32]) -> Result<(), MetricError> {
        check_scores(truth.len(), CLASSES, scores)?;
        truth.iter().try_for_each(|class| check_class(CLASSES, *class))?;
        self.put(truth.len(), scores, |sample, class| truth[sample] == class);
        Ok(())
    }

    /// Counts one sample, by whether it is of each class, and its score of each.
    ///
    /// # Errors
    ///
    /// [`MetricError::Scores`] when they are not as many; [`MetricError::NotANumber`].
    pub fn record_labels(&mut self, truth: &[bool; CLASSES], scores: &[f32]) -> Result<(), MetricError> {
        check_scores(1, CLASSES, scores)?;
        self.put(1, scores, |_, class| truth[class]);
        Ok(())
    }

    fn put(&mut self, samples: usize, scores: &[f32], is: impl Fn(usize, usize) -> bool) {
        for (class, of_class) in self.classes.iter_mut().enumerate() {
            let of_samples = (0..samples).map(|sample| (scores[sample * CLASSES + class], is(sample, class)));
            of_class.scores.extend(of_samples);
        }
    }

    /// Forgets all. The memory stays.
    pub fn reset(&mut self) {
        self.classes.iter_mut().for_each(AveragePrecision::reset);
    }

    /// That of one class.
    ///
    /// # Panics
    ///
    /// As a slice's index, if there is no such class.
    pub fn of_class(&self, class: usize) -> &AveragePrecision {
        &self.classes[class]
    }

    /// The mean over those classes that some sample is of; NaN where there are none. (scikit-learn counts others as 0.)
    pub fn value(&self) -> f64 {
        let of_classes = self.classes.iter().map(AveragePrecision::value).filter(|value| !value.is_nan());
        let (sum, classes) = of_classes.fold((0.0, 0.0), |(sum, classes), value| (sum + value, classes + 1.0));
        sum / classes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_is_scikit_learns_where_scores_are_equal() {
        let truth = [0, 0, 1, 1, 0, 1, 0, 1].map(|truth| truth == 1);
        let mut precision = AveragePrecision::new();
        precision.update(&truth, &[0.1, 0.4, 0.35, 0.8, 0.4, 0.4, 0.9, 0.8]).unwrap();
        // average_precision_score, scikit-learn 1.9.1.
        assert!((precision.value() - 0.6011904761904762).abs() < 1e-15, "{}", precision.value());
    }

    #[test]
    fn the_mean_is_scikit_learns() {
        let scores = [0.5, 0.2, 0.3, 0.1, 0.6, 0.3, 0.2, 0.2, 0.6, 0.4, 0.5, 0.1, 0.3, 0.3, 0.4, 0.6, 0.3, 0.1];
        let mut precision = MeanAveragePrecision::<3>::new();
        precision.update(&[0, 1, 2, 0, 1, 2], &scores).unwrap();
        // average_precision_score(truth, scores, average = None) and "macro", scikit-learn 1.9.1.
        for (class, expected) in [(0, 0.5833333333333333), (1, 0.75), (2, 0.6666666666666666)] {
            let value = precision.of_class(class).value();
            assert!((value - expected).abs() < 1e-15, "class {class}: {value}");
        }
        assert!((precision.value() - 0.6666666666666666).abs() < 1e-15);
    }

    #[test]
    fn a_class_that_is_not_there_is_left_out_of_the_mean() {
        let mut precision = MeanAveragePrecision::<3>::new();
        assert!(precision.value().is_nan());
        precision.update(&[0, 1], &[0.9, 0.1, 0.0, 0.2, 0.8, 0.0]).unwrap();
        assert!(precision.of_class(2).value().is_nan());
        assert_eq!(precision.value(), 1.0);
        precision.reset();
        assert_eq!(precision, MeanAveragePrecision::new());
    }

    #[test]
    fn the_two_zeros_are_equal_scores() {
        let mut precision = AveragePrecision::new();
        precision.update(&[true, false], &[0.0, -0.0]).unwrap();
        assert_eq!(precision.value(), 0.5);
    }

    #[test]
    fn what_cannot_be_judged_is_an_error_and_counts_nothing() {
        let mut precision = AveragePrecision::new();
        let error = precision.update(&[true, false], &[0.0, f32::NAN]).unwrap_err();
        assert_eq!(error.to_string(), "sample 1: the score of class 0 is not a number (NaN)");
        let error = precision.update(&[true], &[0.0, 1.0]).unwrap_err();
        assert_eq!(error.to_string(), "expected 1 predictions, as many as true classes, found 2");
        assert_eq!(precision.total(), 0);
        let mut mean = MeanAveragePrecision::<2>::new();
        for (truth, scores) in [(0, &[0.0, f32::NAN][..]), (2, &[0.0, 1.0]), (0, &[0.0])] {
            mean.record(truth, scores).unwrap_err();
        }
        mean.record_labels(&[true, false], &[f32::NAN, 0.0]).unwrap_err();
        assert_eq!(mean, MeanAveragePrecision::new());
    }

    /// By the definition: for each threshold, precision and recall of all scores that reach it.
    fn plain(truth: &[bool], scores: &[f32]) -> f64 {
        let mut thresholds = scores.to_vec();
        thresholds.sort_by(|a, b| b.partial_cmp(a).unwrap());
        thresholds.dedup();
        let of_class = truth.iter().filter(|truth| **truth).count() as f64;
        let (mut value, mut recall_before) = (0.0, 0.0);
        for threshold in thresholds {
            let reached: Vec<_> = truth.iter().zip(scores).filter(|(_, score)| **score >= threshold).collect();
            let right = reached.iter().filter(|(truth, _)| **truth).count() as f64;
            let (precision, recall) = (right / reached.len() as f64, right / of_class);
            value += (recall - recall_before) * precision;
            recall_before = recall;
        }
        value
    }

    proptest! {
        /// Few values, so that many are equal.
        #[test]
        fn it_is_the_sum_over_thresholds_in_any_order_and_any_batches(
            samples in proptest::collection::vec((any::<bool>(), -3..4_i8), 1..40),
            cut in 0..40_usize,
        ) {
            let truth: Vec<_> = samples.iter().map(|(truth, _)| *truth).collect();
            let scores: Vec<_> = samples.iter().map(|(_, score)| f32::from(*score)).collect();
            let mut precision = AveragePrecision::new();
            let cut = cut.min(truth.len());
            precision.update(&truth[..cut], &scores[..cut]).unwrap();
            precision.update(&truth[cut..], &scores[cut..]).unwrap();
            let mut backwards = AveragePrecision::new();
            for (truth, score) in truth.iter().zip(&scores).rev() {
                backwards.record(*truth, *score).unwrap();
            }
            prop_assert_eq!(precision.value().to_bits(), backwards.value().to_bits());
            if truth.contains(&true) {
                let expected = plain(&truth, &scores);
                // Differences of recalls are rounded in the reference.
                prop_assert!((precision.value() - expected).abs() < 1e-12, "{} {}", precision.value(), expected);
            } else {
                prop_assert!(precision.value().is_nan());
            }
        }

        #[test]
        fn a_class_is_judged_against_all_others(
            samples in proptest::collection::vec((0..3_usize, proptest::array::uniform3(-3..4_i8)), 1..20),
        ) {
            let truth: Vec<_> = samples.iter().map(|(truth, _)| *truth).collect();
            let scores: Vec<_> = samples.iter().flat_map(|(_, scores)| scores.map(f32::from)).collect();
            let mut mean = MeanAveragePrecision::<3>::new();
            mean.update(&truth, &scores).unwrap();
            let mut one_by_one = MeanAveragePrecision::<3>::new();
            for (truth, scores) in &samples {
                one_by_one.record_labels(&array::from_fn(|class| class == *truth), &scores.map(f32::from)).unwrap();
            }
            prop_assert_eq!(&mean, &one_by_one);
            for class in 0..3 {
                let mut alone = AveragePrecision::new();
                for (truth, scores) in &samples {
                    alone.record(*truth == class, scores[class].into()).unwrap();
                }
                prop_assert_eq!(mean.of_class(class), &alone);
            }
        }
    }
}
