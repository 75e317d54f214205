/// Predictions that cannot be judged. Nothing is counted then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// A class that there is not.
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
    /// Not a score for each class of each sample.
    #[error("expected {expected} scores, {classes} for each of {samples} samples, found {found}")]
    Scores {
        /// Scores of all samples.
        expected: usize,
        /// The number of classes.
        classes: usize,
        /// True classes.
        samples: usize,
        /// Scores.
        found: usize,
    },
    /// A score that is not a number: nothing is before or behind it.
    #[error("sample {sample}: the score of class {class} is not a number (NaN)")]
    NotANumber {
        /// Counted from 0 in what was given.
        sample: usize,
        /// The class.
        class: usize,
    },
    /// The first `k` of fewer classes, or of none.
    #[error("k = {k}: expected 1 to {classes}, the number of classes")]
    K {
        /// What was given.
        k: usize,
        /// The number of classes.
        classes: usize,
    },
}

/// Whether there is one of something for each true class.
pub(super) fn check_counts(expected: usize, found: usize) -> Result<(), MetricError> {
    if expected == found { Ok(()) } else { Err(MetricError::Counts { expected, found }) }
}

/// Whether it is a class.
pub(super) fn check_class(classes: usize, found: usize) -> Result<(), MetricError> {
    if found < classes { Ok(()) } else { Err(MetricError::Class { classes, found }) }
}

/// Whether there is a score for each of some classes of each sample, and every one is a number.
pub(super) fn check_scores(samples: usize, classes: usize, scores: &[f32]) -> Result<(), MetricError> {
    let expected = samples.saturating_mul(classes);
    if scores.len() != expected {
        return Err(MetricError::Scores { expected, classes, samples, found: scores.len() });
    }
    match scores.iter().position(|score| score.is_nan()) {
        Some(place) => Err(MetricError::NotANumber { sample: place / classes, class: place % classes }),
        None => Ok(()),
    }
}
