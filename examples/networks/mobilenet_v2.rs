//! MobileNetV2 (Sandler et al. 2018, "MobileNetV2: inverted residuals and linear bottlenecks"), with torchvision's names
//! and numbers.

use cnn_core::prelude::*;

network! {
    /// A 1 x 1 convolution.
    block pointwise<C> { conv2d<C, 1>(bias = false), batch_norm2d, relu6 }

    /// A 3 x 3 convolution in each channel.
    block depthwise<STRIDE> {
        conv2d<channels, 3>(stride = STRIDE, padding = 1, groups = channels, bias = false), batch_norm2d, relu6,
    }

    /// `EXPANSION` times the channels, filtered, and projected to `C`.
    block inverted<EXPANSION, C, STRIDE> {
        conv: [
            pointwise<{EXPANSION * channels}>,
            depthwise<STRIDE>,
            conv2d<C, 1>(bias = false), batch_norm2d,
        ],
    }

    /// The same beside the identity.
    block residual<EXPANSION> { add { inverted<EXPANSION, channels, 1>, [] } }

    /// MobileNetV2 for 224 x 224 colour images of 1000 classes.
    pub MobileNetV2<3, 224, 224> {
        features: [
            [conv2d<32, 3>(stride = 2, padding = 1, bias = false), batch_norm2d, relu6],
            [conv: [depthwise<1>, conv2d<16, 1>(bias = false), batch_norm2d]]   => <16, 112, 112>,
            inverted<6, 24, 2>, residual<6>                                     => <24, 56, 56>,
            inverted<6, 32, 2>, repeat<2> [residual<6>]                         => <32, 28, 28>,
            inverted<6, 64, 2>, repeat<3> [residual<6>]                         => <64, 14, 14>,
            inverted<6, 96, 1>, repeat<2> [residual<6>]                         => <96, 14, 14>,
            inverted<6, 160, 2>, repeat<2> [residual<6>]                        => <160, 7, 7>,
            inverted<6, 320, 1>                                                 => <320, 7, 7>,
            pointwise<1280>,
        ],
        adaptive_avg_pool2d<1>, flatten                                         => <1280>,
        classifier: [dropout(p = 0.2), linear<1000>],
    }
}
