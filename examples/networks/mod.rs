//! The gallery: networks that the examples share, a page each.

use cnn_core::prelude::*;
use cnn_core::shape::Shape;
use safetensors::Dtype;

pub mod alexnet;
pub mod convnext_tiny;
pub mod dcgan;
pub mod deeplabv3_resnet50;
pub mod densenet121;
pub mod detector;
pub mod efficientnet_b0;
pub mod googlenet;
pub mod lenet5;
pub mod mobilenet_v2;
pub mod mobilenet_v3_small;
pub mod mtcnn;
pub mod regnet_y_400mf;
pub mod resnet18;
pub mod resnet50;
pub mod shufflenet_v2;
pub mod squeezenet1_1;
pub mod unet;
pub mod vgg;
pub mod vgg_cifar;
pub mod vit_tiny;

pub use alexnet::AlexNet;
pub use convnext_tiny::ConvNeXtTiny;
pub use dcgan::{Discriminator, Generator};
pub use deeplabv3_resnet50::DeepLabV3;
pub use densenet121::DenseNet121;
pub use detector::Detector;
pub use efficientnet_b0::EfficientNetB0;
pub use googlenet::GoogLeNet;
pub use lenet5::LeNet5;
pub use mobilenet_v2::MobileNetV2;
pub use mobilenet_v3_small::MobileNetV3Small;
pub use regnet_y_400mf::RegNetY400MF;
pub use resnet18::{ResNet18, ResNet18Features, ResNetSmall};
pub use resnet50::ResNet50;
pub use shufflenet_v2::ShuffleNetV2;
pub use squeezenet1_1::SqueezeNet1_1;
pub use unet::{UNet, UNetColour};
pub use vgg::{Vgg11Bn, Vgg16};
pub use vgg_cifar::VggCifar;
pub use vit_tiny::ViTTiny;

/// A network of the gallery, as the command line names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Name {
    /// LeNet-5, for 1 x 28 x 28 images
    #[value(name = "lenet5")]
    LeNet5,
    /// Six 3 x 3 convolutions, for 3 x 32 x 32 images
    VggCifar,
    /// A small residual network, for 1 x 28 x 28 images
    #[value(name = "resnet_small")]
    ResNetSmall,
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
    /// AlexNet
    #[value(name = "alexnet")]
    AlexNet,
    /// VGG-11 with batch normalization
    #[value(name = "vgg11_bn")]
    Vgg11Bn,
    /// VGG-16
    #[value(name = "vgg16")]
    Vgg16,
    /// ShuffleNetV2
    #[value(name = "shufflenet_v2_x1_0")]
    ShuffleNetV2,
    /// RegNetY-400MF
    #[value(name = "regnet_y_400mf")]
    RegNetY400MF,
    /// EfficientNet-B0
    #[value(name = "efficientnet_b0")]
    EfficientNetB0,
    /// ConvNeXt-Tiny
    #[value(name = "convnext_tiny")]
    ConvNeXtTiny,
    /// A vision transformer of DeiT-Ti's size
    #[value(name = "vit_tiny")]
    ViTTiny,
    /// DeepLabV3 on ResNet-50: 21 classes of each pixel, twice
    #[value(name = "deeplabv3_resnet50")]
    DeepLabV3,
    /// U-Net, for 1 x 64 x 64 images
    #[value(name = "unet")]
    UNet,
    /// U-Net, for 3 x 128 x 128 images
    #[value(name = "unet_colour")]
    UNetColour,
    /// DCGAN's generator, of 100 x 1 x 1 numbers
    #[value(name = "dcgan_generator")]
    Generator,
    /// DCGAN's discriminator, for 3 x 64 x 64 images
    #[value(name = "dcgan_discriminator")]
    Discriminator,
    /// A detector in the manner of YOLOv5, for 3 x 256 x 256 images
    #[value(name = "detector")]
    Detector,
}

/// What a network of the gallery is to make of the samples of a batch, and the loss of what it makes instead.
pub trait Truth<S: Shape>: Sized {
    /// Its name in files.
    const NAME: &'static str;
    /// The type of its numbers there.
    const DTYPE: Dtype;
    /// The loss.
    type Loss<'a>: Loss<S>
    where
        Self: 'a;

    /// From the bytes of a file.
    fn read(bytes: &[u8]) -> Result<Self, Error>;

    /// Some, for so many samples.
    fn any(samples: usize) -> Result<Self, Error>;

    /// The loss of what a network makes.
    fn loss(&self) -> Self::Loss<'_>;
}

/// A class of each sample, or of each of its pixels.
impl<S: Shape, const CLASSES: usize> Truth<S> for Labels<CLASSES>
where
    for<'a> CrossEntropy<'a, CLASSES>: Loss<S>,
{
    const NAME: &'static str = "labels";
    const DTYPE: Dtype = Dtype::I64;
    type Loss<'a> = CrossEntropy<'a, CLASSES>;

    fn read(bytes: &[u8]) -> Result<Self, Error> {
        let values: Vec<i64> = bytes.as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect();
        Self::new(&values)
    }

    fn any(samples: usize) -> Result<Self, Error> {
        let labels = samples * S::SIZES.positions();
        Self::new(&(0..labels).map(|index| index % CLASSES).collect::<Vec<_>>())
    }

    fn loss(&self) -> Self::Loss<'_> {
        CrossEntropy::new(self)
    }
}

/// All values.
impl<S: Shape> Truth<S> for Batch<S> {
    const NAME: &'static str = "targets";
    const DTYPE: Dtype = Dtype::F32;
    type Loss<'a> = MeanSquaredError<'a, S>;

    fn read(bytes: &[u8]) -> Result<Self, Error> {
        let values: Vec<f32> = bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
        Self::from_nchw(&values)
    }

    fn any(samples: usize) -> Result<Self, Error> {
        Ok(Self::zeros(samples))
    }

    fn loss(&self) -> Self::Loss<'_> {
        MeanSquaredError::new(self)
    }
}

/// The values that a network of type `N` is to make.
type Values<N> = Batch<<N as Network>::Output>;

/// What can be done with any network of the gallery.
pub trait Visitor {
    /// What comes of it.
    type Output;

    /// Does it with a network that is to make `T`.
    fn visit<N: Network, T: Truth<N::Output>>(self) -> Self::Output;
}

impl Name {
    /// Does it with the network of this name.
    pub fn visit<V: Visitor>(self, visitor: V) -> V::Output {
        match self {
            Self::LeNet5 => visitor.visit::<LeNet5, Labels<10>>(),
            Self::VggCifar => visitor.visit::<VggCifar, Labels<10>>(),
            Self::ResNetSmall => visitor.visit::<ResNetSmall, Labels<10>>(),
            Self::ResNet18 => visitor.visit::<ResNet18, Labels<1000>>(),
            Self::ResNet50 => visitor.visit::<ResNet50, Labels<1000>>(),
            Self::GoogLeNet => visitor.visit::<GoogLeNet, Labels<1000>>(),
            Self::SqueezeNet1_1 => visitor.visit::<SqueezeNet1_1, Labels<1000>>(),
            Self::DenseNet121 => visitor.visit::<DenseNet121, Labels<1000>>(),
            Self::MobileNetV2 => visitor.visit::<MobileNetV2, Labels<1000>>(),
            Self::MobileNetV3Small => visitor.visit::<MobileNetV3Small, Labels<1000>>(),
            Self::AlexNet => visitor.visit::<AlexNet, Labels<1000>>(),
            Self::Vgg11Bn => visitor.visit::<Vgg11Bn, Labels<1000>>(),
            Self::Vgg16 => visitor.visit::<Vgg16, Labels<1000>>(),
            Self::ShuffleNetV2 => visitor.visit::<ShuffleNetV2, Labels<1000>>(),
            Self::RegNetY400MF => visitor.visit::<RegNetY400MF, Labels<1000>>(),
            Self::EfficientNetB0 => visitor.visit::<EfficientNetB0, Labels<1000>>(),
            Self::ConvNeXtTiny => visitor.visit::<ConvNeXtTiny, Labels<1000>>(),
            Self::ViTTiny => visitor.visit::<ViTTiny, Labels<1000>>(),
            Self::DeepLabV3 => visitor.visit::<DeepLabV3, Values<DeepLabV3>>(),
            Self::UNet => visitor.visit::<UNet, Labels<2>>(),
            Self::UNetColour => visitor.visit::<UNetColour, Labels<2>>(),
            Self::Generator => visitor.visit::<Generator, Values<Generator>>(),
            Self::Discriminator => visitor.visit::<Discriminator, Values<Discriminator>>(),
            Self::Detector => visitor.visit::<Detector, Values<Detector>>(),
        }
    }
}
