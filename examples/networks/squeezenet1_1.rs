//! SqueezeNet 1.1 (Iandola et al. 2016, "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters"), with
//! torchvision's names and numbers.

use cnn_core::prelude::*;

network! {
    /// Few channels, from which 1 x 1 and 3 x 3 convolutions make many.
    block fire<SQUEEZE, EXPAND> {
        squeeze: conv2d<SQUEEZE, 1>, relu,
        concat {
            [expand1x1: conv2d<EXPAND, 1>, relu],
            [expand3x3: conv2d<EXPAND, 3>(padding = 1), relu],
        },
    }

    /// SqueezeNet 1.1 for 224 x 224 colour images of 1000 classes.
    pub SqueezeNet1_1<3, 224, 224> {
        features: [
            conv2d<64, 3>(stride = 2), relu,
            max_pool2d<3>(stride = 2, ceil_mode = true)     => <64, 55, 55>,
            fire<16, 64>,
            fire<16, 64>                                    => <128, 55, 55>,
            max_pool2d<3>(stride = 2, ceil_mode = true)     => <128, 27, 27>,
            fire<32, 128>,
            fire<32, 128>                                   => <256, 27, 27>,
            max_pool2d<3>(stride = 2, ceil_mode = true)     => <256, 13, 13>,
            fire<48, 192>,
            fire<48, 192>                                   => <384, 13, 13>,
            fire<64, 256>,
            fire<64, 256>,
        ]                                                   => <512, 13, 13>,
        classifier: [dropout(p = 0.5), conv2d<1000, 1>, relu, adaptive_avg_pool2d<1>],
        flatten                                             => <1000>,
    }
}
