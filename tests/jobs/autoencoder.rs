//! A variational autoencoder (Kingma and Welling 2013, "Auto-encoding variational Bayes"): what it draws comes in as noise, and
//! its loss, with the divergence from what is normal, is part of the declaration.

use cnn_core::loss::OwnLoss;
use cnn_core::prelude::*;

use crate::pictures::{draw, noise, squares};

network! {
    /// Says a picture in six numbers that are nearly normal, and from these again; and how much it costs to say it so.
    pub Autoencoder<image: <1, 16, 16>, noise: <6>> {
        image, encoder: [
            conv2d<8, 4>(stride = 2, padding = 1), relu,
            conv2d<16, 4>(stride = 2, padding = 1), relu, flatten, linear<32>, relu,
        ] as seen,
        center: linear<6> as center,
        seen, spread: linear<6> as spread,
        map(|spread, center, noise| center + noise * exp(spread / 2)),
        decoder: [
            linear<256>, relu, unflatten<16, 4, 4>,
            conv_transpose2d<8, 4>(stride = 2, padding = 1), relu, conv_transpose2d<1, 4>(stride = 2, padding = 1),
        ],
        map(|logit, image| softplus(logit) - logit * image), sum as missed,
        spread, map(|spread, center| (center * center + exp(spread) - 1 - spread) / 2), sum,
        map(|divergence, missed| divergence + missed),
    }
}

/// The cost of a picture that was not learned from, in nats.
fn cost(net: &Autoencoder) -> Result<f32, Error> {
    let costs = net.forward(&Autoencoder::inputs(&draw(&squares(64, 9000))?, &noise(64, 9001))?);
    Ok(costs.values().iter().sum::<f32>() / 64.0)
}

#[test]
fn an_autoencoder_that_draws_learns() -> Result<(), Error> {
    let (mut net, mut training) = (Autoencoder::new(0), Training::new(0));
    let mut optimizer = Adam::new(AdamOptions::new(0.003))?;
    let before = cost(&net)?;
    for step in 0..250 {
        let input = Autoencoder::inputs(&draw(&squares(32, step))?, &noise(32, 5000 + step))?;
        training.backward(Mode::Training, &mut net, &input, &OwnLoss)?;
        optimizer.step(&mut net, training.gradients());
    }
    // A picture without regard to what is in it costs some 100: each pixel is bright with its share of all.
    let after = cost(&net)?;
    assert!(after < 0.4 * before, "{before} {after}");
    Ok(())
}
