//! Two networks that learn from one another (Radford et al. 2015, DCGAN), step by step as PyTorch's example: the generator's
//! gradient comes through the discriminator, which is there once.

use cnn_core::loss::BinaryCrossEntropyWithLogits;
use cnn_core::prelude::*;

use crate::pictures::{Square, draw, noise, stream};

network! {
    /// Makes a picture of 16 numbers.
    pub Generator<16, 1, 1> {
        conv_transpose2d<32, 4>(bias = false), batch_norm2d, relu,
        conv_transpose2d<16, 4>(stride = 2, padding = 1, bias = false), batch_norm2d, relu,
        conv_transpose2d<1, 4>(stride = 2, padding = 1, bias = false), tanh     => <1, 16, 16>,
    }

    /// Says whether a picture is a real one.
    pub Discriminator<1, 16, 16> {
        conv2d<16, 4>(stride = 2, padding = 1, bias = false), leaky_relu(negative_slope = 0.2),
        conv2d<32, 4>(stride = 2, padding = 1, bias = false), batch_norm2d, leaky_relu(negative_slope = 0.2),
        conv2d<1, 4>(bias = false), flatten                                     => <1>,
    }
}

const SAMPLES: usize = 32;

/// A square about the middle, as bright as `tanh` can be, on ground as dark.
fn real(seed: u64) -> Result<Batch<Chw<1, 16, 16>>, Error> {
    let mut stream = stream(seed);
    let mut square = || Square { top: 3 + stream.below(3), left: 3 + stream.below(3), side: 8 };
    let squares: Vec<_> = (0..SAMPLES).map(|_| square()).collect();
    Ok(draw(&squares)?.map(|value| 2.0 * value - 1.0))
}

/// The average of all pictures.
fn average(pictures: &Batch<Chw<1, 16, 16>>) -> Vec<f32> {
    let mut sum = vec![0.0; 256];
    for picture in pictures.values().chunks_exact(256) {
        sum.iter_mut().zip(picture).for_each(|(sum, value)| *sum += value / pictures.len() as f32);
    }
    sum
}

/// How far what the generator makes is from what is real, on average.
fn apart(generator: &Generator) -> Result<f32, Error> {
    let (real, made) = (average(&real(9000)?), average(&generator.forward(&noise(SAMPLES, 9001))));
    Ok(real.iter().zip(&made).map(|(real, made)| (real - made).abs()).sum::<f32>() / 256.0)
}

#[test]
fn a_generator_learns_through_its_discriminator() -> Result<(), Error> {
    let (mut generator, mut discriminator) = (Generator::new(0), Discriminator::new(1));
    let (mut generating, mut telling) = (Training::new(0), Training::new(0));
    let options = AdamOptions::new(0.002).betas([0.5, 0.999]);
    let (mut of_generator, mut of_discriminator) = (Adam::new(options)?, Adam::new(options)?);
    let (ones, zeros) = (Batch::zeros(SAMPLES).map(|_| 1.0), Batch::zeros(SAMPLES));
    let (is_real, is_made) = (BinaryCrossEntropyWithLogits::new(&ones), BinaryCrossEntropyWithLogits::new(&zeros));
    let mut by_picture = Batch::zeros(0);

    let before = apart(&generator)?;
    for step in 0..120 {
        let (real, noise) = (real(step)?, noise(SAMPLES, 5000 + step));
        let made = generating.forward(Mode::Training, &mut generator, &noise)?;

        // The discriminator learns which are real.
        telling.backward(Mode::Training, &mut discriminator, &real, &is_real)?;
        let of_real = telling.gradients().clone();
        telling.backward(Mode::Training, &mut discriminator, made.output(), &is_made)?;
        telling.gradients_mut().add(&of_real);
        of_discriminator.step(&mut discriminator, telling.gradients());

        // The generator learns what the discriminator takes for real.
        telling.backward_to(Mode::Training, &mut discriminator, made.output(), &is_real, &mut by_picture)?;
        made.backward_from(&by_picture)?;
        of_generator.step(&mut generator, generating.gradients());
    }
    let after = apart(&generator)?;
    assert!(after < 0.3 * before, "{before} {after}");
    Ok(())
}
