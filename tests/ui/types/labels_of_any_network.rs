use cnn_core::loss::{Classes, Logits};
use cnn_core::prelude::*;

fn train<N: Network>(net: &mut N, images: &Batch<N::Input>, labels: &Labels<10>) -> Result<f32, Error>
where
    N::Output: Classes<10>,
{
    Training::new(0).backward(Mode::Training, net, images, &CrossEntropy::new(labels))
}

fn with_the_bound<N: Network>(net: &mut N, images: &Batch<N::Input>, labels: &Labels<10>) -> Result<f32, Error>
where
    N::Output: Logits<10>,
{
    Training::new(0).backward(Mode::Training, net, images, &CrossEntropy::new(labels))
}

fn with_the_output<N>(net: &mut N, images: &Batch<N::Input>, labels: &Labels<10>) -> Result<f32, Error>
where
    N: Network<Output = Flat<10>>,
{
    Training::new(0).backward(Mode::Training, net, images, &CrossEntropy::new(labels))
}

fn of_probabilities<N: Network>(net: &mut N, images: &Batch<N::Input>, labels: &Labels<10>) -> Result<f32, Error> {
    Training::new(0).backward(Mode::Training, net, images, &NegativeLogLikelihood::new(labels))
}

fn main() {}
