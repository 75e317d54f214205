//! A residual network for small grey pictures: that of section 4.2 of He et al. 2015, "Deep residual learning for image
//! recognition", with one block of each width, twice as wide.

use cnn_core::prelude::*;

network! {
    /// Two 3 x 3 convolutions beside the identity, or beside a projection where the resolution is halved.
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

    /// A residual network for 28 x 28 grey pictures of ten classes.
    pub ResNetSmall<1, 28, 28> {
        conv1: conv2d<32, 3>(padding = 1, bias = false), bn1: batch_norm2d, relu,
        layer1: [basic<32>]                         => <32, 28, 28>,
        layer2: [down<64>, basic<64>]               => <64, 14, 14>,
        layer3: [down<128>, basic<128>]             => <128, 7, 7>,
        adaptive_avg_pool2d<1>, flatten             => <128>,
        fc: linear<10>,
    }
}
