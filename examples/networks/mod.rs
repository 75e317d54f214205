//! The gallery: networks that the examples share, a page each.

use cnn_core::prelude::*;

pub mod densenet121;
pub mod googlenet;
pub mod lenet5;
pub mod mobilenet_v2;
pub mod mobilenet_v3_small;
pub mod mtcnn;
pub mod resnet18;
pub mod resnet50;
pub mod squeezenet1_1;
pub mod unet;
pub mod vgg_cifar;

pub use densenet121::DenseNet121;
pub use googlenet::GoogLeNet;
pub use lenet5::LeNet5;
pub use mobilenet_v2::MobileNetV2;
pub use mobilenet_v3_small::MobileNetV3Small;
pub use resnet18::ResNet18;
pub use resnet50::ResNet50;
pub use squeezenet1_1::SqueezeNet1_1;
pub use unet::{UNet, UNetColour};
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
    /// ResNet-18, for 3 x 224 x 224 images, as all that follow if not said otherwise
    #[value(name = "resnet18")]
    ResNet18,
    /// ResNet-50
    #[value(name = "resnet50")]
    ResNet50,
    /// GoogLeNet
    #[value(name = "googlenet")]
    GoogLeNet,
    /// SqueezeNet 1.1
    #[value(name = "squeezenet1_1")]
    SqueezeNet1_1,
    /// DenseNet-121
    #[value(name = "densenet121")]
    DenseNet121,
    /// MobileNetV2
    #[value(name = "mobilenet_v2")]
    MobileNetV2,
    /// MobileNetV3-Small
    #[value(name = "mobilenet_v3_small")]
    MobileNetV3Small,
    /// U-Net, for 1 x 64 x 64 images
    #[value(name = "unet")]
    UNet,
    /// U-Net, for 3 x 128 x 128 images
    #[value(name = "unet_colour")]
    UNetColour,
}

/// What can be done with any network of the gallery.
pub trait Visitor {
    /// What comes of it.
    type Output;

    /// Does it with a network that tells `CLASSES` classes apart.
    fn visit<N: Network, const CLASSES: usize>(self) -> Self::Output
    where
        for<'a> CrossEntropy<'a, CLASSES>: Loss<N::Output>;
}

impl Name {
    /// Does it with the network of this name.
    pub fn visit<V: Visitor>(self, visitor: V) -> V::Output {
        match self {
            Self::LeNet5 => visitor.visit::<LeNet5, 10>(),
            Self::VggCifar => visitor.visit::<VggCifar, 10>(),
            Self::ResNet18 => visitor.visit::<ResNet18, 1000>(),
            Self::ResNet50 => visitor.visit::<ResNet50, 1000>(),
            Self::GoogLeNet => visitor.visit::<GoogLeNet, 1000>(),
            Self::SqueezeNet1_1 => visitor.visit::<SqueezeNet1_1, 1000>(),
            Self::DenseNet121 => visitor.visit::<DenseNet121, 1000>(),
            Self::MobileNetV2 => visitor.visit::<MobileNetV2, 1000>(),
            Self::MobileNetV3Small => visitor.visit::<MobileNetV3Small, 1000>(),
            Self::UNet => visitor.visit::<UNet, 2>(),
            Self::UNetColour => visitor.visit::<UNetColour, 2>(),
        }
    }
}
