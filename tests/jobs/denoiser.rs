//! A denoiser: the target is a map, and the network says what is to be taken away.

use cnn_core::prelude::*;

use crate::pictures::{draw, noise, squares};

network! {
    /// Reckons the noise of a picture, and takes it away.
    pub Denoiser<1, 16, 16> {
        add {
            [],
            [
                repeat<2> [conv2d<12, 3>(padding = 1, bias = false), batch_norm2d, relu],
                conv2d<1, 3>(padding = 1),
            ],
        },
    }
}

/// Noisy pictures, and the clean ones.
fn pictures(seed: u64) -> Result<[Batch<Chw<1, 16, 16>>; 2], Error> {
    let clean = draw(&squares(16, seed))?;
    Ok([clean.zip_map(&noise(16, seed), |clean, noise| clean + 0.4 * noise)?, clean])
}

fn distance<const N: usize>(a: &Batch<Chw<1, N, N>>, b: &Batch<Chw<1, N, N>>) -> Result<f32, Error> {
    let squares = a.zip_map(b, |a, b| (a - b).powi(2))?;
    Ok(squares.values().iter().sum::<f32>() / squares.values().len() as f32)
}

#[test]
fn a_denoiser_takes_noise_away() -> Result<(), Error> {
    let (mut net, mut training) = (Denoiser::new(0), Training::new(0));
    let mut optimizer = Adam::new(AdamOptions::new(0.01))?;
    for step in 0..120 {
        let [noisy, clean] = pictures(step)?;
        training.backward(Mode::Training, &mut net, &noisy, &MeanSquaredError::new(&clean))?;
        optimizer.step(&mut net, training.gradients());
    }
    let [noisy, clean] = pictures(1000)?;
    let (before, after) = (distance(&noisy, &clean)?, distance(&net.forward(&noisy), &clean)?);
    assert!(after < 0.3 * before, "{before} {after}");
    Ok(())
}
