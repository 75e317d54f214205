use cnn_core::prelude::*;

fn train<N: Network>(net: &mut N, images: &Batch<N::Input>, targets: &Batch<Flat<3>>) -> Result<f32, Error> {
    Training::new(0).backward(Mode::Training, net, images, &MeanSquaredError::new(targets))
}

fn main() {}
