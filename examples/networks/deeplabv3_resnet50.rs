//! DeepLabV3 on ResNet-50 (Chen et al. 2017, "Rethinking atrous convolution for semantic image segmentation"), with
//! torchvision's names and numbers.

use cnn_core::prelude::*;

network! {
    /// Three convolutions, the middle one with a stride and a dilation.
    block convolutions<C, STRIDE, DILATION> {
        conv1: conv2d<C, 1>(bias = false), bn1: batch_norm2d, relu,
        conv2: conv2d<C, 3>(stride = STRIDE, padding = DILATION, dilation = DILATION, bias = false), bn2: batch_norm2d, relu,
        conv3: conv2d<{4 * C}, 1>(bias = false), bn3: batch_norm2d,
    }

    /// They beside the identity.
    block bottleneck<C, DILATION> { add { [_: convolutions<C, 1, DILATION>], [] }, relu }

    /// They beside a projection.
    block down<C, STRIDE, DILATION> {
        add {
            [_: convolutions<C, STRIDE, DILATION>],
            downsample: [conv2d<{4 * C}, 1>(stride = STRIDE, bias = false), batch_norm2d],
        },
        relu,
    }

    /// ResNet-50 at an eighth of the resolution: what its third stage makes, and behind it what its last one does.
    block backbone {
        conv1: conv2d<64, 7>(stride = 2, padding = 3, bias = false), bn1: batch_norm2d, relu,
        max_pool2d<3>(stride = 2, padding = 1),
        layer1: [down<64, 1, 1>, repeat<2> [bottleneck<64, 1>]],
        layer2: [down<128, 2, 1>, repeat<3> [bottleneck<128, 1>]],
        layer3: [down<256, 1, 1>, repeat<5> [bottleneck<256, 2>]],
        concat { [], layer4: [down<512, 1, 2>, repeat<2> [bottleneck<512, 4>]] },
    }

    /// A 3 x 3 convolution that sees far.
    block atrous<DILATION> {
        conv2d<256, 3>(padding = DILATION, dilation = DILATION, bias = false), batch_norm2d, relu,
    }

    /// The average of a map of this size, at each of its places.
    block averaged<HEIGHT, WIDTH> {
        adaptive_avg_pool2d<1>, conv2d<256, 1>(bias = false), batch_norm2d, relu,
        upsample(size = (HEIGHT, WIDTH), mode = bilinear),
    }

    /// Five views of the map, from a point to the whole.
    block pyramid {
        convs: concat {
            [conv2d<256, 1>(bias = false), batch_norm2d, relu],
            atrous<12>, atrous<24>, atrous<36>,
            averaged<height, width>,
        },
        project: [conv2d<256, 1>(bias = false), batch_norm2d, relu, dropout],
    }

    /// DeepLabV3 for 224 x 224 colour images: one of 21 classes at each pixel, and the same from the stage before the last, to
    /// learn from.
    pub DeepLabV3<3, 224, 224> {
        backbone: backbone                                          => <3072, 28, 28>,
        outputs {
            out: [
                channel_slice<1024, 3072>,
                classifier: [pyramid, conv2d<256, 3>(padding = 1, bias = false), batch_norm2d, relu, conv2d<21, 1>],
                upsample(size = 224, mode = bilinear),
            ],
            aux: [
                channel_slice<0, 1024>,
                aux_classifier: [
                    conv2d<256, 3>(padding = 1, bias = false), batch_norm2d, relu, dropout(p = 0.1), conv2d<21, 1>,
                ],
                upsample(size = 224, mode = bilinear),
            ],
        },
    }
}
