//! The heads of networks: what the labelled branches of a last `concat` made, by name.

mod common;

use cnn_core::loss::Loss;
use cnn_core::prelude::*;
use cnn_core::tensor::{Part, Samples, SamplesMut};

const CLASSES: usize = size_of::<u32>();

/// Declared elsewhere, and private there.
mod detectors {
    use cnn_core::prelude::*;

    network! {
        block head<BOXES, CLASSES> {
            concat {
                boxes: conv2d<{ 4 * BOXES }, 1>,
                // Lends its names, and is no head.
                [conv2d<2, 3>(padding = 1), relu],
                scores: [conv2d<CLASSES, 3>(padding = 1), relu],
            }
        }

        /// Heads of a block, beside a branch without a name.
        pub(super) Detector<3, 9, 8> {
            stem: conv2d<6, 3>(stride = 2, padding = 1), relu,
            head: head<2, 5> => <15, 5, 4>,
        }

        /// The names are those of the network, whatever follows that is no layer.
        pub(super) Tail<3, 9, 8> { conv2d<2, 1>, [concat { r#type: [], new: conv2d<1, 1>, output: [] }, []], [] }
    }
}

network! {
    /// Features, some of which are probabilities.
    pub Actor<6> { fc: linear<8>, relu, concat { policy: [linear<3>, softmax], value: linear<1>, raw: [] } }

    /// Sizes that only rustc knows.
    pub Unknown<2, 6, 6> {
        conv2d<{ CLASSES }, 3>, relu,
        concat { first: [], scores: conv2d<{ CLASSES + 1 }, 1>, last: [conv2d<3, 1>, softmax] },
    }

    /// One head is all of the output.
    pub Single<4> { concat { only: linear<3> } }

    /// What follows is of all branches, so that there are no heads.
    pub Followed<4> { concat { a: linear<3>, b: [] }, relu }
}

fn batch<S: cnn_core::shape::Shape>(samples: usize) -> Batch<S> {
    Batch::from_nchw(&common::values(samples * S::LEN, 3)).unwrap()
}

/// The channels of every sample of a batch in PyTorch's order.
fn channels(values: &[f32], all: usize, positions: usize, from: usize, to: usize) -> Vec<f32> {
    let samples = values.chunks_exact(all * positions);
    samples.flat_map(|sample| &sample[from * positions..to * positions]).copied().collect()
}

#[test]
fn heads_are_the_channels_of_their_branches() {
    use detectors::{Detector, DetectorHeads};
    let output = Detector::new(3).forward(&batch(3));
    let DetectorHeads { boxes, scores } = Detector::heads(output.samples());
    let (boxes, scores): (Part<'_, Chw<8, 5, 4>>, Part<'_, Chw<5, 5, 4>>) = (boxes, scores);
    let all = output.to_nchw();
    assert_eq!(boxes.to_nchw(), channels(&all, 15, 20, 0, 8));
    assert_eq!(scores.to_nchw(), channels(&all, 15, 20, 10, 15));
    assert_eq!(scores[(2, [4, 3, 1])], output[(2, [14, 3, 1])]);
    assert_eq!(boxes.sample(1)[[7, 4, 3]], output[(1, [7, 4, 3])]);
    let own: Batch<Chw<8, 5, 4>> = boxes.to_batch();
    assert_eq!(own.to_nchw(), boxes.to_nchw());
}

#[test]
fn any_label_is_a_name() {
    let output = detectors::Tail::new(3).forward(&batch(2));
    let heads = detectors::Tail::heads(output.samples());
    assert_eq!((heads.r#type.channels(), heads.new.channels(), heads.output.channels()), (0..2, 2..3, 3..5));
    assert_eq!(heads.r#type.to_nchw(), heads.output.to_nchw());
}

#[test]
fn heads_of_features() {
    let output = Actor::new(3).forward(&batch(4));
    let ActorHeads { policy, value, raw } = Actor::heads(output.samples());
    let policy: Part<'_, Probabilities<Flat<3>>> = policy;
    for (sample, policy) in policy.iter().enumerate() {
        let row = policy.rows().next().unwrap();
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert_eq!(policy.argmax(), (0..3).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap());
        assert_eq!(value[(sample, 0)], output[(sample, 3)]);
        assert!(raw.sample(sample).to_tensor().values().iter().all(|value| *value >= 0.0));
    }
    assert_eq!(raw.to_nchw(), channels(&output.to_nchw(), 12, 1, 4, 12));
}

#[test]
fn heads_whose_sizes_only_rustc_knows() {
    let output: Batch<Chw<12, 4, 4>> = Unknown::new(3).forward(&batch(2));
    let UnknownHeads { first, scores, last } = Unknown::heads(output.samples());
    let scores: Part<'_, Chw<5, 4, 4>> = scores;
    let last: Part<'_, Probabilities<Chw<3, 4, 4>>> = last;
    assert_eq!(first.to_nchw(), channels(&output.to_nchw(), 12, 16, 0, 4));
    assert_eq!(scores.to_nchw(), channels(&output.to_nchw(), 12, 16, 4, 9));
    assert_eq!(last.to_nchw(), channels(&output.to_nchw(), 12, 16, 9, 12));
}

#[test]
fn one_head_is_all_of_the_output() {
    let output = Single::new(3).forward(&batch(2));
    assert_eq!(Single::heads(output.samples()).only.to_batch(), output);
    let _: Batch<Flat<7>> = Followed::new(3).forward(&batch(2));
}

/// The squared error of the value alone, as a loss of the user's own sees it.
struct ValueError<'a>(&'a [f32]);

impl Loss<Flat<12>> for ValueError<'_> {
    fn evaluate(&self, output: Samples<'_, Flat<12>>, mut grad_output: SamplesMut<'_, Flat<12>>) -> Result<f32, Error> {
        let value = Actor::heads(output).value;
        let mut loss = 0.0;
        for ((found, wanted), grad) in value.rows().zip(self.0).zip(grad_output.values().chunks_exact_mut(12)) {
            grad.fill(0.0);
            grad[value.channels()].copy_from_slice(&[2.0 * (found[0] - wanted) / self.0.len() as f32]);
            loss += (found[0] - wanted).powi(2) / self.0.len() as f32;
        }
        Ok(loss)
    }
}

#[test]
fn a_loss_sees_heads() -> Result<(), Error> {
    let (mut net, inputs, mut training) = (Actor::new(3), batch(4), Training::new(0));
    let mut optimizer = Sgd::new(SgdOptions::new(0.05))?;
    let mut losses = Vec::new();
    for _ in 0..50 {
        losses.push(training.backward(Mode::Training, &mut net, &inputs, &ValueError(&[0.5, -0.25, 1.0, 0.0]))?);
        optimizer.step(&mut net, training.gradients());
    }
    assert!(losses[49] < 0.5 * losses[0], "{losses:?}");
    Ok(())
}
