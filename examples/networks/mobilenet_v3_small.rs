//! MobileNetV3-Small (Howard et al. 2019, "Searching for MobileNetV3"), with torchvision's names and numbers.

use cnn_core::prelude::*;

network! {
    /// Weighs each of `C` channels by what all of them are on average over the map. Between are a quarter as many,
    /// rounded to a multiple of eight.
    block squeeze_excitation<C> {
        multiply {
            [],
            [
                avgpool: adaptive_avg_pool2d<1>,
                fc1: conv2d<{(C / 4 + 4) / 8 * 8}, 1>, relu,
                fc2: conv2d<C, 1>, hardsigmoid,
            ],
        },
    }

    /// A projection to `C` channels.
    block project<C> { conv2d<C, 1>(bias = false), batch_norm2d(eps = 0.001, momentum = 0.01) }

    /// A filter in each channel, rectified.
    block depthwise_relu<STRIDE> {
        conv2d<channels, 3>(stride = STRIDE, padding = 1, groups = channels, bias = false),
        batch_norm2d(eps = 0.001, momentum = 0.01),
        relu,
    }

    /// More channels, filters in each of them, and a projection.
    block bottleneck_relu<EXPANDED, C, STRIDE> {
        block: [
            [conv2d<EXPANDED, 1>(bias = false), batch_norm2d(eps = 0.001, momentum = 0.01), relu],
            depthwise_relu<STRIDE>,
            project<C>,
        ],
    }

    /// The same with `hardswish`, 5 x 5 filters, and weighed channels.
    block bottleneck<EXPANDED, C, STRIDE> {
        block: [
            [conv2d<EXPANDED, 1>(bias = false), batch_norm2d(eps = 0.001, momentum = 0.01), hardswish],
            [
                conv2d<EXPANDED, 5>(stride = STRIDE, padding = 2, groups = EXPANDED, bias = false),
                batch_norm2d(eps = 0.001, momentum = 0.01),
                hardswish,
            ],
            squeeze_excitation<EXPANDED>,
            project<C>,
        ],
    }

    /// A bottleneck beside the identity.
    block residual<EXPANDED> { add { bottleneck<EXPANDED, channels, 1>, [] } }

    /// MobileNetV3-Small for 224 x 224 colour images of 1000 classes.
    pub MobileNetV3Small<3, 224, 224> {
        features: [
            [conv2d<16, 3>(stride = 2, padding = 1, bias = false), batch_norm2d(eps = 0.001, momentum = 0.01), hardswish],
            [block: [depthwise_relu<2>, squeeze_excitation<16>, project<16>]]   => <16, 56, 56>,
            bottleneck_relu<72, 24, 2>                                          => <24, 28, 28>,
            [add { bottleneck_relu<88, 24, 1>, [] }]                            => <24, 28, 28>,
            bottleneck<96, 40, 2>, repeat<2> [residual<240>]                    => <40, 14, 14>,
            bottleneck<120, 48, 1>, residual<144>                               => <48, 14, 14>,
            bottleneck<288, 96, 2>, repeat<2> [residual<576>]                   => <96, 7, 7>,
            [conv2d<576, 1>(bias = false), batch_norm2d(eps = 0.001, momentum = 0.01), hardswish],
        ],
        avgpool: adaptive_avg_pool2d<1>, flatten                                => <576>,
        classifier: [linear<1024>, hardswish, dropout(p = 0.2), linear<1000>],
    }
}
