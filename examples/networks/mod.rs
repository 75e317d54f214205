//! The gallery: networks that the examples share, a page each.

pub mod lenet5;
pub mod vgg_cifar;

pub use lenet5::LeNet5;
pub use vgg_cifar::VggCifar;

/// A network of the gallery, as the command line names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Name {
    /// LeNet-5, for 1 x 28 x 28 images
    #[value(name = "lenet5")]
    LeNet5,
    /// Six 3 x 3 convolutions, for 3 x 32 x 32 images
    VggCifar,
}
