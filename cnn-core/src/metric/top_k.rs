use super::error::{check_class, check_scores};
use super::{Accuracy, MetricError};

/// The share of samples whose true class is among the `k` with the largest scores: `k` of 5 is the top-5 accuracy of ImageNet.
///
/// Of classes with equal scores the first comes first, so that the best class is that of
/// [`argmax`](crate::tensor::Batch::argmax), and exactly `k` classes are taken. (PyTorch's `topk` does not say which it takes of
/// equals; scikit-learn's `top_k_accuracy_score` takes the last.)
///
/// ```
/// use cnn_core::metric::TopKAccuracy;
///
/// let mut top2 = TopKAccuracy::<3>::new(2)?;
/// top2.update(&[2, 0], &[0.1, 0.6, 0.3, /* the next */ 0.1, 0.6, 0.3])?;
/// assert_eq!(top2.value(), 0.5);
/// # Ok::<(), cnn_core::metric::MetricError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopKAccuracy<const CLASSES: usize> {
    k: usize,
    is_among: Accuracy,
}

impl<const CLASSES: usize> TopKAccuracy<CLASSES> {
    /// Of nothing yet.
    ///
    /// # Errors
    ///
    /// [`MetricError::K`] when `k` is 0 or there are not so many classes.
    pub fn new(k: usize) -> Result<Self, MetricError> {
        if (1..=CLASSES).contains(&k) {
            Ok(Self { k, is_among: Accuracy::new() })
        } else {
            Err(MetricError::K { k, classes: CLASSES })
        }
    }

    /// Counts one sample, by its score of each class.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn record(&mut self, truth: usize, scores: &[f32]) -> Result<(), MetricError> {
        self.update(&[truth], scores)
    }

    /// Counts the samples of a batch, by rows of scores, `[n, CLASSES]`.
    ///
    /// # Errors
    ///
    /// [`MetricError::Scores`] when they are not as many; [`MetricError::NotANumber`] when one is NaN; [`MetricError::Class`] when a
    /// true class is none.
    pub fn update(&mut self, truth: &[usize], scores: &[f32]) -> Result<(), MetricError> {
        check_scores(truth.len(), CLASSES, scores)?;
        truth.iter().try_for_each(|class| check_class(CLASSES, *class))?;
        for (truth, scores) in truth.iter().zip(scores.chunks_exact(CLASSES)) {
            self.is_among.count(place(*truth, scores) < self.k);
        }
        Ok(())
    }

    /// Forgets all.
    pub fn reset(&mut self) {
        self.is_among.reset();
    }

    /// Number of samples whose true class is among the first.
    pub fn correct(&self) -> u64 {
        self.is_among.correct()
    }

    /// Number of samples.
    pub fn total(&self) -> u64 {
        self.is_among.total()
    }

    /// The share of samples whose true class is among the first; NaN where there are none.
    pub fn value(&self) -> f64 {
        self.is_among.value()
    }
}

/// How many classes come before one.
fn place(class: usize, scores: &[f32]) -> usize {
    let (own, (before, behind)) = (scores[class], scores.split_at(class));
    before.iter().filter(|score| **score >= own).count() + behind.iter().filter(|score| **score > own).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_is_scikit_learns_where_no_scores_are_equal() {
        // top_k_accuracy_score(truth, scores, k = 2) and k = 1, scikit-learn 1.9.1.
        let scores = [0.5, 0.2, 0.3, 0.1, 0.6, 0.3, 0.2, 0.1, 0.7, 0.4, 0.5, 0.1, 0.3, 0.2, 0.5, 0.6, 0.3, 0.1];
        for (k, expected) in [(1, 3.0 / 6.0), (2, 4.0 / 6.0), (3, 1.0)] {
            let mut top = TopKAccuracy::<3>::new(k).unwrap();
            top.update(&[0, 1, 2, 0, 1, 2], &scores).unwrap();
            assert_eq!(top.value(), expected, "k = {k}");
        }
    }

    #[test]
    fn of_equals_the_first_is_taken_and_never_more_than_k() {
        let is_taken = |truth| {
            let mut top = TopKAccuracy::<4>::new(2).unwrap();
            top.record(truth, &[0.0, 1.0, 1.0, 1.0]).unwrap();
            top.correct() == 1
        };
        assert_eq!([0, 1, 2, 3].map(is_taken), [false, true, true, false]);
    }

    #[test]
    fn what_cannot_be_judged_is_an_error_and_counts_nothing() {
        let mut top = TopKAccuracy::<2>::new(1).unwrap();
        for (truth, scores, expected) in [
            (&[0, 1][..], &[0.0, 1.0, 2.0][..], "expected 4 scores, 2 for each of 2 samples, found 3"),
            (&[0, 1], &[0.0, 1.0, 2.0, f32::NAN], "sample 1: the score of class 1 is not a number (NaN)"),
            (&[0, 2], &[0.0, 1.0, 2.0, 3.0], "expected a class below 2, found 2"),
        ] {
            assert_eq!(top.update(truth, scores).unwrap_err().to_string(), expected);
        }
        assert!(top.value().is_nan());
        for k in [0, 3] {
            let error = TopKAccuracy::<2>::new(k).unwrap_err();
            assert_eq!(error.to_string(), format!("k = {k}: expected 1 to 2, the number of classes"));
        }
        assert!(TopKAccuracy::<0>::new(0).is_err());
    }

    proptest! {
        /// Few values, so that many are equal.
        #[test]
        fn it_is_the_share_among_the_first_k_of_sorted_classes(
            samples in proptest::collection::vec((0..5_usize, proptest::array::uniform5(-2..3_i8)), 1..20),
            k in 1..=5_usize,
            cut in 0..20_usize,
        ) {
            let mut correct = 0;
            for (truth, scores) in &samples {
                let mut classes = [0, 1, 2, 3, 4];
                classes.sort_by_key(|class| -scores[*class]); // stable: the first of equals first
                correct += usize::from(classes[..k].contains(truth));
            }
            let truth: Vec<_> = samples.iter().map(|(truth, _)| *truth).collect();
            let scores: Vec<_> = samples.iter().flat_map(|(_, scores)| scores.map(f32::from)).collect();
            let cut = cut.min(truth.len());
            let mut top = TopKAccuracy::<5>::new(k).unwrap();
            top.record(0, &[f32::INFINITY, 0.0, 0.0, 0.0, f32::NEG_INFINITY]).unwrap();
            top.reset();
            top.update(&truth[..cut], &scores[..5 * cut]).unwrap();
            top.update(&truth[cut..], &scores[5 * cut..]).unwrap();
            prop_assert_eq!(top.value(), correct as f64 / samples.len() as f64);
        }
    }
}
