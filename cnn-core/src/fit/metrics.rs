//! What is counted of classes, of the outputs of networks.

use super::Metric;
use crate::Error;
use crate::loss::{Classes, Labels};
use crate::metric::{Accuracy, ConfusionMatrix, MeanAveragePrecision, MetricError, TopKAccuracy};
use crate::tensor::Batch;

/// The scores of each sample, or position, whose label counts, with that.
fn counted<'a, S: Classes<CLASSES>, const CLASSES: usize>(
    output: &'a Batch<S>,
    targets: &'a Labels<CLASSES>,
) -> impl Iterator<Item = (usize, &'a [f32])> {
    let labels = targets.as_slice().iter().copied();
    labels.zip(output.values().chunks_exact(CLASSES)).filter(|(label, _)| *label < CLASSES)
}

/// The class of the largest score, of equal ones the first.
fn largest(scores: &[f32]) -> usize {
    (1..scores.len()).fold(0, |best, class| if scores[class] > scores[best] { class } else { best })
}

macro_rules! metrics {
    ($($(#[$about:meta])* $metric:ty: $name:literal, $record:expr, $value:expr;)*) => {
        $($(#[$about])* impl<S: Classes<CLASSES>, const CLASSES: usize> Metric<S, Labels<CLASSES>> for $metric {
            fn name(&self) -> &str {
                $name
            }

            fn start(&mut self) {
                self.reset();
            }

            fn add(&mut self, output: &Batch<S>, targets: &Labels<CLASSES>) -> Result<(), Error> {
                counted(output, targets).try_for_each(|(label, scores)| Ok($record(&mut *self, label, scores)?))
            }

            fn value(&self) -> f64 {
                $value(self)
            }
        })*
    };
}

metrics! {
    /// The share of samples, or of pixels, whose largest score is that of the label; those that do not count are left out.
    Accuracy: "accuracy", record_largest, Accuracy::value;
    /// Of the labels that count.
    TopKAccuracy<CLASSES>: "top-k accuracy", TopKAccuracy::record, TopKAccuracy::value;
    /// Of the labels that count; as one number the mean of intersection over union.
    ConfusionMatrix<CLASSES>: "mean IoU", record_guess, ConfusionMatrix::mean_intersection_over_union;
    /// Of the labels that count.
    MeanAveragePrecision<CLASSES>: "mean average precision", MeanAveragePrecision::record, MeanAveragePrecision::value;
}

fn record_largest(accuracy: &mut Accuracy, label: usize, scores: &[f32]) -> Result<(), MetricError> {
    accuracy.record(label, largest(scores));
    Ok(())
}

fn record_guess<const CLASSES: usize>(
    matrix: &mut ConfusionMatrix<CLASSES>,
    label: usize,
    scores: &[f32],
) -> Result<(), MetricError> {
    matrix.record(label, largest(scores))
}
