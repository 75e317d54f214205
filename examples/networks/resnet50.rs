//! ResNet-50 (He et al. 2015, "Deep residual learning for image recognition"), with torchvision's names and numbers: the
//! stride is in the 3 x 3 convolution.

use cnn_core::prelude::*;

network! {
    /// 1 x 1, 3 x 3 and 1 x 1 convolutions beside the identity.
    block bottleneck<C> {
        add {
            [
                conv1: conv2d<C, 1>(bias = false), bn1: batch_norm2d, relu,
                conv2: conv2d<C, 3>(padding = 1, bias = false), bn2: batch_norm2d, relu,
                conv3: conv2d<{4 * C}, 1>(bias = false), bn3: batch_norm2d,
            ],
            [],
        },
        relu,
    }

    /// The same beside a projection, for another number of channels or resolution.
    block down<C, STRIDE> {
        add {
            [
                conv1: conv2d<C, 1>(bias = false), bn1: batch_norm2d, relu,
                conv2: conv2d<C, 3>(stride = STRIDE, padding = 1, bias = false), bn2: batch_norm2d, relu,
                conv3: conv2d<{4 * C}, 1>(bias = false), bn3: batch_norm2d,
            ],
            downsample: [conv2d<{4 * C}, 1>(stride = STRIDE, bias = false), batch_norm2d],
        },
        relu,
    }

    /// ResNet-50 for 224 x 224 colour images of 1000 classes.
    pub ResNet50<3, 224, 224> {
        conv1: conv2d<64, 7>(stride = 2, padding = 3, bias = false), bn1: batch_norm2d, relu,
        max_pool2d<3>(stride = 2, padding = 1)                      => <64, 56, 56>,
        layer1: [down<64, 1>, repeat<2> [bottleneck<64>]]           => <256, 56, 56>,
        layer2: [down<128, 2>, repeat<3> [bottleneck<128>]]         => <512, 28, 28>,
        layer3: [down<256, 2>, repeat<5> [bottleneck<256>]]         => <1024, 14, 14>,
        layer4: [down<512, 2>, repeat<2> [bottleneck<512>]]         => <2048, 7, 7>,
        adaptive_avg_pool2d<1>, flatten                             => <2048>,
        fc: linear<1000>,
    }
}
