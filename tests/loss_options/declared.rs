//! The losses that the documentation of `DeclaredLoss` writes as declarations, beside PyTorch's.

use cnn_core::loss::Loss;
use cnn_core::prelude::*;
use cnn_core::train::DeclaredLoss;

use super::pytorch::{self, ANCHORS, LOGITS, SECONDS, TARGETS, THIRDS};

const ALPHA: f32 = 0.25;
const GAMMA: f32 = 2.0;

network! {
    /// As `torchvision.ops.sigmoid_focal_loss`, whose mean is over all values.
    pub Focal<logits: <5>, target: <5>> {
        map(|x, target| {
            let miss = target * sigmoid(-x) + (1 - target) * sigmoid(x);
            let share = ALPHA * target + (1 - ALPHA) * (1 - target);
            share * pow(miss, GAMMA) * (softplus(x) - x * target)
        }),
        mean,
    }

    /// How little two sets overlap.
    pub Dice<logits: <5>, target: <5>> {
        logits, map(|x, target| sigmoid(x) * target), sum as both,
        logits, map(|x, target| sigmoid(x) + target), sum,
        map(|all, both| 1 - (2 * both + 1) / (all + 1)),
    }
}

const MARGIN: f32 = 0.2;

network! {
    /// `CosineEmbeddingLoss`: `side` is 1 of vectors that should point the same way, and -1 of others.
    pub Cosine<a: <5>, b: <5>, side: <1>> {
        a, map(|a| a * a), sum as of_a,
        b, map(|b| b * b), sum as of_b,
        a, map(|a, b| a * b), sum,
        map(|product, of_a, of_b| product / sqrt((of_a + 1e-12) * (of_b + 1e-12))),
        map(|cosine, side| if side > 0 { 1 - cosine } else { max(cosine - MARGIN, 0) }),
    }
}

const APART: f32 = 1.5;

network! {
    /// What is alike comes close, and what is not goes so far apart.
    pub Contrastive<a: <5>, b: <5>, side: <1>> {
        a, map(|a, b| a - b + 1e-6), norm,
        map(|distance, side| if side > 0 { pow(distance, 2) } else { pow(max(APART - distance, 0), 2) }),
    }

    /// `TripletMarginLoss`
    pub Triplet<anchor: <5>, positive: <5>, negative: <5>> {
        anchor, map(|a, positive| a - positive + 1e-6), norm as near,
        anchor, map(|a, negative| a - negative + 1e-6), norm,
        map(|far, near| max(near - far + APART, 0)),
    }

    /// The same with `swap`.
    pub Swapped<anchor: <5>, positive: <5>, negative: <5>> {
        anchor, map(|a, positive| a - positive + 1e-6), norm as near,
        positive, map(|p, negative| p - negative + 1e-6), norm as other,
        anchor, map(|a, negative| a - negative + 1e-6), norm,
        map(|far, near, other| max(near - min(far, other) + APART, 0)),
    }
}

/// The mean and the sum are PyTorch's: a sample's own is a mean over so many values, of which PyTorch's sum is of all.
fn check<L: Network, const N: usize>(
    name: &str,
    values: &[f32],
    loss: impl Fn() -> DeclaredLoss<'static, L, Flat<5>, N>,
    [mean, sum]: [&pytorch::Loss; 2],
    of_sample: f32,
) -> Result<(), Error> {
    for (loss, expected, scale) in [(loss(), mean, 1.0), (loss().sum(), sum, of_sample)] {
        let output = Batch::from_nhwc(values)?;
        let mut gradient = Batch::zeros(output.len());
        let found = scale * loss.evaluate(output.samples(), gradient.samples_mut())?;
        // Sums of five squares in another order.
        assert!(
            (found - expected.loss).abs() < 2e-6 * expected.loss.abs().max(1.0),
            "{name}: {found} {}",
            expected.loss
        );
        for (index, (found, expected)) in gradient.values().iter().zip(&expected.gradient).enumerate() {
            // Beside a vector of zeros the cosine's gradient is a million times as large, and so is its rounding.
            let error = (scale * found - expected).abs();
            assert!(error < 1e-5 * expected.abs() + 1e-6, "{name} at {index}: {found} {expected}");
        }
    }
    Ok(())
}

/// For good, as the losses of a macro are told apart by nothing else.
fn kept<const C: usize>(values: &[f32]) -> Result<&'static Batch<Flat<C>>, Error>
where
    Flat<C>: cnn_core::shape::Shape,
{
    Ok(Box::leak(Box::new(Batch::from_nhwc(values)?)))
}

#[test]
fn declarations_are_pytorch_s() -> Result<(), Error> {
    let masks = kept::<5>(&TARGETS.map(f32::round_ties_even))?;
    let (second, third) = (kept::<5>(&SECONDS)?, kept::<5>(&THIRDS)?);
    let sides = kept::<1>(&[1.0, -1.0, 1.0, -1.0, 1.0, -1.0])?;
    check("focal", &LOGITS, || Focal::loss(masks), [&pytorch::FOCAL, &pytorch::FOCAL_SUM], 5.0)?;
    check("dice", &LOGITS, || Dice::loss(masks), [&pytorch::DICE, &pytorch::DICE_SUM], 1.0)?;
    check("cosine", &ANCHORS, || Cosine::loss(second, sides), [&pytorch::COSINE, &pytorch::COSINE_SUM], 1.0)?;
    let expected = [&pytorch::CONTRASTIVE, &pytorch::CONTRASTIVE_SUM];
    check("contrastive", &ANCHORS, || Contrastive::loss(second, sides), expected, 1.0)?;
    check("triplet", &ANCHORS, || Triplet::loss(second, third), [&pytorch::TRIPLET, &pytorch::TRIPLET_SUM], 1.0)?;
    let expected = [&pytorch::TRIPLET_SWAP, &pytorch::TRIPLET_SWAP_SUM];
    check("triplet with swap", &ANCHORS, || Swapped::loss(second, third), expected, 1.0)
}
