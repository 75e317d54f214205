use cnn_core::prelude::*;

fn train<N: Network>(net: &mut N, images: &Batch<N::Input>, labels: &Labels<10>) -> Result<f32, Error> {
    Training::new(0).backward(Mode::Training, net, images, &CrossEntropy::new(labels))
}

fn main() {}
