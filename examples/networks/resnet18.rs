//! ResNet-18 (He et al. 2015, "Deep residual learning for image recognition"), with torchvision's names and numbers; and of the same
//! blocks its features, for another head, and a network for small grey pictures.

use cnn_core::prelude::*;

network! {
    /// Two 3 x 3 convolutions beside the identity.
    block basic<C> {
        add {
            [
                conv1: conv2d<C, 3>(padding = 1, bias = false), bn1: batch_norm2d, relu,
                conv2: conv2d<C, 3>(padding = 1, bias = false), bn2: batch_norm2d,
            ],
            [],
        },
        relu,
    }

    /// The same at half the resolution, beside a projection.
    block down<C> {
        add {
            [
                conv1: conv2d<C, 3>(stride = 2, padding = 1, bias = false), bn1: batch_norm2d, relu,
                conv2: conv2d<C, 3>(padding = 1, bias = false), bn2: batch_norm2d,
            ],
            downsample: [conv2d<C, 1>(stride = 2, bias = false), batch_norm2d],
        },
        relu,
    }

    /// ResNet-18 for 224 x 224 colour images of 1000 classes.
    pub ResNet18<3, 224, 224> {
        conv1: conv2d<64, 7>(stride = 2, padding = 3, bias = false), bn1: batch_norm2d, relu,
        max_pool2d<3>(stride = 2, padding = 1)      => <64, 56, 56>,
        layer1: [basic<64>, basic<64>]              => <64, 56, 56>,
        layer2: [down<128>, basic<128>]             => <128, 28, 28>,
        layer3: [down<256>, basic<256>]             => <256, 14, 14>,
        layer4: [down<512>, basic<512>]             => <512, 7, 7>,
        adaptive_avg_pool2d<1>, flatten             => <512>,
        fc: linear<1000>,
    }

    /// What ResNet-18 has before its last layer.
    pub ResNet18Features<3, 224, 224> {
        conv1: conv2d<64, 7>(stride = 2, padding = 3, bias = false), bn1: batch_norm2d, relu,
        max_pool2d<3>(stride = 2, padding = 1),
        layer1: [basic<64>, basic<64>], layer2: [down<128>, basic<128>],
        layer3: [down<256>, basic<256>], layer4: [down<512>, basic<512>],
        adaptive_avg_pool2d<1>, flatten             => <512>,
    }

    /// For 28 x 28 grey pictures of ten classes: that of section 4.2 of the paper, with one block of the first width and two of each
    /// other, twice as wide.
    pub ResNetSmall<1, 28, 28> {
        conv1: conv2d<32, 3>(padding = 1, bias = false), bn1: batch_norm2d, relu,
        layer1: [basic<32>]                         => <32, 28, 28>,
        layer2: [down<64>, basic<64>]               => <64, 14, 14>,
        layer3: [down<128>, basic<128>]             => <128, 7, 7>,
        adaptive_avg_pool2d<1>, flatten             => <128>,
        fc: linear<10>,
    }
}
