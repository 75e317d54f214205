//! Which pixels are of a square: focal loss for the many that are easy, and dice loss for the mask as a whole.

use cnn_core::prelude::*;

use crate::pictures::{draw, noise, squares};

network! {
    /// How wrong each pixel is; those that are right nearly count for nothing. <https://arxiv.org/abs/1708.02002>
    block focal<mask> {
        map(|x, mask| {
            let miss = mask * sigmoid(-x) + (1 - mask) * sigmoid(x);
            pow(miss, 2) * (softplus(x) - x * mask)
        }),
        mean,
    }

    /// How little two masks have in common. <https://arxiv.org/abs/1606.04797>
    block dice<mask> {
        sigmoid as p,
        map(|p, mask| p * mask), sum as both,
        p, map(|p, mask| p + mask), sum,
        map(|all, both| 1 - (2 * both + 1) / (all + 1)),
    }

    /// The sum of both.
    pub FocalAndDice<logits: <1, 16, 16>, mask: <1, 16, 16>> {
        logits, focal<mask> as missed,
        logits, dice<mask>,
        map(|apart, missed| apart + missed),
    }

    /// Says of each pixel whether it is of a square.
    pub Masks<1, 16, 16> {
        conv2d<8, 3>(padding = 1), relu as near,
        max_pool2d<2>, conv2d<16, 3>(padding = 1), relu, upsample(scale_factor = 2),
        concat { near, [] }, conv2d<1, 3>(padding = 1),
    }
}

/// Noisy pictures, and the masks of their squares.
fn pictures(seed: u64) -> Result<[Batch<Chw<1, 16, 16>>; 2], Error> {
    let masks = draw(&squares(16, seed))?;
    Ok([masks.zip_map(&noise(16, seed), |mask, noise| mask + 0.3 * noise)?, masks])
}

#[test]
fn masks_are_learned_by_focal_and_dice_loss() -> Result<(), Error> {
    let (mut net, mut training) = (Masks::new(0), Training::new(0));
    let mut optimizer = Adam::new(AdamOptions::new(0.01))?;
    for step in 0..120 {
        let [pictures, masks] = pictures(step)?;
        training.backward(Mode::Training, &mut net, &pictures, &FocalAndDice::loss(&masks))?;
        optimizer.step(&mut net, training.gradients());
    }
    let [pictures, masks] = pictures(1000)?;
    let found = net.forward(&pictures).map(|logit| f32::from(u8::from(logit > 0.0)));
    let both: f32 = found.mul(&masks)?.values().iter().sum();
    let either: f32 = found.zip_map(&masks, f32::max)?.values().iter().sum();
    assert!(both > 0.8 * either, "{both} {either}");
    Ok(())
}
