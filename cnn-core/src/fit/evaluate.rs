//! How good a network is on data that it does not learn from.

use core::fmt;

use super::{Batches, Criterion};
use crate::Error;
use crate::loss::Loss;
use crate::network::{Inference, Network};
use crate::tensor::{Batch, Samples, SamplesMut};

/// Something that is measured of what a network makes, `[n, S]`, against the targets of its batches, of type `B`.
///
/// ```
/// use cnn_core::fit::Metric;
/// use cnn_core::prelude::*;
///
/// /// The largest distance from a target.
/// #[derive(Default)]
/// struct Farthest(f64);
///
/// impl Metric<Flat<1>, Batch<Flat<1>>> for Farthest {
///     fn name(&self) -> &str {
///         "farthest"
///     }
///
///     fn start(&mut self) {
///         self.0 = 0.0;
///     }
///
///     fn add(&mut self, output: &Batch<Flat<1>>, targets: &Batch<Flat<1>>) -> Result<(), Error> {
///         for (output, target) in output.values().iter().zip(targets.values()) {
///             self.0 = self.0.max(f64::from((output - target).abs()));
///         }
///         Ok(())
///     }
///
///     fn value(&self) -> f64 {
///         self.0
///     }
/// }
/// ```
pub trait Metric<S: crate::shape::Shape, B> {
    /// What it is called.
    fn name(&self) -> &str;

    /// Forgets all batches.
    fn start(&mut self);

    /// Takes another batch into account.
    ///
    /// # Errors
    ///
    /// What is wrong with the batch.
    fn add(&mut self, output: &Batch<S>, targets: &B) -> Result<(), Error>;

    /// What it is of all batches.
    fn value(&self) -> f64;
}

/// What was measured, by name: `loss` first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scores(pub Vec<(String, f64)>);

impl Scores {
    /// The number of a name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| *value)
    }
}

impl fmt::Display for Scores {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<_> = self.0.iter().map(|(name, value)| format!("{name} {value:.4}")).collect();
        formatter.write_str(&texts.join(", "))
    }
}

/// The loss of all batches of an epoch and what else is measured of them, in evaluation mode. A mean is divided by all samples, or
/// by the weights of all labels that count; a sum is added up. Of losses of several outputs that are divided by different numbers,
/// batches count by what the first is divided by.
///
/// # Errors
///
/// Those of the data, of the loss and of what is measured.
pub fn evaluate<N, B, C>(
    network: &N,
    batches: &mut B,
    criterion: &C,
    metrics: &mut [&mut dyn Metric<N::Output, B::Targets>],
) -> Result<Scores, Error>
where
    N: Network,
    B: Batches<Input = N::Input>,
    C: Criterion<N::Output, B::Targets>,
{
    metrics.iter_mut().for_each(|metric| metric.start());
    let (mut inference, mut output) = (Inference::new(), Batch::zeros(0));
    let mut gradient = Batch::<N::Output>::zeros(0);
    let (mut sum, mut weight) = (0.0, 0.0);
    for batch in batches.from(0, 0, 0..1, 1)? {
        let batch = batch?;
        let samples = batch.input.len();
        inference.run(network, &batch.input, &mut output);
        gradient.resize(samples);
        let loss = criterion.of(&batch.targets)?;
        let value = loss.evaluate(Samples::new(output.values()), SamplesMut::new(gradient.values_mut()))?;
        match loss.divisors(samples).of.first().copied().flatten() {
            Some(0.0) => {}
            Some(of_batch) => {
                sum += f64::from(value) * of_batch;
                weight += of_batch;
            }
            None => {
                sum += f64::from(value);
                weight = 1.0;
            }
        }
        for metric in metrics.iter_mut() {
            metric.add(&output, &batch.targets)?;
        }
    }
    let mut scores = vec![("loss".to_owned(), sum / weight)];
    scores.extend(metrics.iter().map(|metric| (metric.name().to_owned(), metric.value())));
    Ok(Scores(scores))
}
