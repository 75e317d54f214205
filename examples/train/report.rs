//! A page about a run.

use std::path::Path;

use cnn_core::data::{Class, Dataset, Loader, PictureSource, Pictures};
use cnn_core::fit::History;
use cnn_core::loss::Logits;
use cnn_core::metric::ConfusionMatrix;
use cnn_core::network::{Inference, Network};
use cnn_core::prelude::*;
use cnn_core::report::{Diagram, Mistake, Picture, Report, grad_cam};
use cnn_core::shape::Shape;

/// Pictures of mistakes that are shown.
const MISTAKES: usize = 16;
/// Pictures in which it is shown what was seen.
const SEEN: usize = 8;

/// What is known of a run in its end.
pub(crate) struct Run<'a, const CLASSES: usize> {
    pub(crate) title: String,
    pub(crate) scores: String,
    pub(crate) history: &'a History,
    pub(crate) confusion: &'a ConfusionMatrix<CLASSES>,
    pub(crate) names: &'a [String],
}

/// One that was taken for something else, and how sure the network was.
struct Wrong<I: Shape> {
    probability: f32,
    guess: usize,
    truth: usize,
    input: Tensor<I>,
}

impl<const CLASSES: usize> Run<'_, CLASSES> {
    /// Writes the page, with what the network makes of these pictures.
    pub(crate) fn save<N, S, const C: usize, const H: usize, const W: usize>(
        &self,
        path: &Path,
        network: &N,
        pictures: &mut Loader<Pictures<S, Chw<C, H, W>>>,
    ) -> anyhow::Result<()>
    where
        N: Network<Input = Chw<C, H, W>>,
        N::Output: Logits<CLASSES>,
        Chw<C, H, W>: Shape,
        S: PictureSource<Target = Class<CLASSES>> + Send + 'static,
        Pictures<S, Chw<C, H, W>>: Dataset<Input = Chw<C, H, W>, Target = Class<CLASSES>>,
    {
        let shown = |input: &Tensor<Chw<C, H, W>>| Picture::of_values(W, H, input.values());
        let name = |class: usize| self.names.get(class).cloned().unwrap_or_else(|| class.to_string());
        let (mut wrong, seen) = look(network, pictures)?;
        keep_surest(&mut wrong);
        let mistakes = wrong.iter().map(|Wrong { probability, guess, truth, input }| {
            let (truth, guess) = (name(*truth), name(*guess));
            Ok(Mistake { picture: shown(input)?, truth, guess, probability: f64::from(*probability) })
        });
        let what_speaks = seen.iter().map(|(input, class)| {
            Ok((grad_cam(network, input, *class)?.over(&shown(input)?), format!("for {}", name(*class))))
        });
        let names: Vec<_> = self.names.iter().map(String::as_str).collect();
        let mut report = Report::new(&self.title);
        report
            .text("In the end", &self.scores)
            .curves("Loss", "epoch", self.history, &["loss", "validation loss"])
            .curves("Accuracy of what is held out", "epoch", self.history, &["validation accuracy"])
            .curves("Learning rate", "epoch", self.history, &["lr"])
            .confusion("Confusion", self.confusion, &names)
            .mistakes("Worst mistakes", mistakes.collect::<Result<_, Error>>()?)
            .pictures("What speaks for a class (Grad-CAM)", &what_speaks.collect::<Result<Vec<_>, Error>>()?)
            .filters("Filters of the first layer", network);
        if let Some((first, _)) = seen.first() {
            report.maps("What each step makes of the first picture", network, first);
        }
        Ok(report.diagram("Network", &Diagram::of::<N>().depth(1)).save(path)?)
    }
}

/// The worst mistakes, the surest first.
fn keep_surest<I: Shape>(wrong: &mut Vec<Wrong<I>>) {
    wrong.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    wrong.truncate(MISTAKES);
}

/// The pictures that are taken for something else, and some of all with what they are taken for.
type Looked<I> = (Vec<Wrong<I>>, Vec<(Tensor<I>, usize)>);

fn look<N, S, const C: usize, const H: usize, const W: usize, const CLASSES: usize>(
    network: &N,
    pictures: &mut Loader<Pictures<S, Chw<C, H, W>>>,
) -> anyhow::Result<Looked<Chw<C, H, W>>>
where
    N: Network<Input = Chw<C, H, W>>,
    N::Output: Logits<CLASSES>,
    Chw<C, H, W>: Shape,
    S: PictureSource<Target = Class<CLASSES>> + Send + 'static,
    Pictures<S, Chw<C, H, W>>: Dataset<Input = Chw<C, H, W>, Target = Class<CLASSES>>,
{
    let (mut wrong, mut seen): Looked<Chw<C, H, W>> = (Vec::new(), Vec::new());
    let every = (pictures.dataset().len() / SEEN).max(1);
    let (mut inference, mut output) = (Inference::new(), Batch::zeros(0));
    for batch in pictures.epoch(0) {
        let batch = batch?;
        inference.run(network, &batch.input, &mut output);
        for (sample, index) in batch.indices.iter().copied().enumerate() {
            let logits = &output.values()[sample * CLASSES..][..CLASSES];
            let input = || {
                let mut input = Tensor::zeros();
                let len = input.values().len();
                input.values_mut().copy_from_slice(&batch.input.values()[sample * len..][..len]);
                input
            };
            let Some(guess) = (0..CLASSES).max_by(|a, b| logits[*a].total_cmp(&logits[*b])) else { continue };
            let truth = batch.targets.as_slice()[sample];
            if guess != truth {
                let sum: f32 = logits.iter().map(|logit| (logit - logits[guess]).exp()).sum();
                let probability = 1.0 / sum;
                wrong.push(Wrong { probability, guess, truth, input: input() });
                // Not all of a large set in memory.
                if wrong.len() > 8 * MISTAKES {
                    keep_surest(&mut wrong);
                }
            }
            if index.is_multiple_of(every) && seen.len() < SEEN {
                seen.push((input(), guess));
            }
        }
    }
    Ok((wrong, seen))
}
