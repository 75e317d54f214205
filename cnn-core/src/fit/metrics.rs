//! What is counted of classes, of the outputs of networks.

use super::Metric;
use crate::Error;
use crate::loss::{Classes, Labels};
use crate::metric::{Accuracy, ConfusionMatrix, MeanAveragePrecision, TopKAccuracy};
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

/// The share of samples, or of pixels, whose largest score is that of the label; those that do not count are left out.
impl<S: Classes<CLASSES>, const CLASSES: usize> Metric<S, Labels<CLASSES>> for Accuracy {
    fn name(&self) -> &str {
        "accuracy"
    }

    fn start(&mut self) {
        self.reset();
    }

    fn add(&mut self, output: &Batch<S>, targets: &Labels<CLASSES>) -> Result<(), Error> {
        counted(output, targets).for_each(|(label, scores)| self.record(label, largest(scores)));
        Ok(())
    }

    fn value(&self) -> f64 {
        Self::value(self)
    }
}

/// Of the labels that count.
impl<S: Classes<CLASSES>, const CLASSES: usize> Metric<S, Labels<CLASSES>> for TopKAccuracy<CLASSES> {
    fn name(&self) -> &str {
        "top-k accuracy"
    }

    fn start(&mut self) {
        self.reset();
    }

    fn add(&mut self, output: &Batch<S>, targets: &Labels<CLASSES>) -> Result<(), Error> {
        counted(output, targets).try_for_each(|(label, scores)| Ok(self.record(label, scores)?))
    }

    fn value(&self) -> f64 {
        Self::value(self)
    }
}

/// Of the labels that count; as one number the mean of intersection over union.
impl<S: Classes<CLASSES>, const CLASSES: usize> Metric<S, Labels<CLASSES>> for ConfusionMatrix<CLASSES> {
    fn name(&self) -> &str {
        "mean IoU"
    }

    fn start(&mut self) {
        self.reset();
    }

    fn add(&mut self, output: &Batch<S>, targets: &Labels<CLASSES>) -> Result<(), Error> {
        counted(output, targets).try_for_each(|(label, scores)| Ok(self.record(label, largest(scores))?))
    }

    fn value(&self) -> f64 {
        self.mean_intersection_over_union()
    }
}

/// Of the labels that count.
impl<S: Classes<CLASSES>, const CLASSES: usize> Metric<S, Labels<CLASSES>> for MeanAveragePrecision<CLASSES> {
    fn name(&self) -> &str {
        "mean average precision"
    }

    fn start(&mut self) {
        self.reset();
    }

    fn add(&mut self, output: &Batch<S>, targets: &Labels<CLASSES>) -> Result<(), Error> {
        counted(output, targets).try_for_each(|(label, scores)| Ok(self.record(label, scores)?))
    }

    fn value(&self) -> f64 {
        Self::value(self)
    }
}
