//! EfficientNet-B0 (Tan and Le 2019, "EfficientNet: rethinking model scaling for convolutional neural networks"), with
//! torchvision's names and numbers.

use cnn_core::prelude::*;

network! {
    /// Weighs each of `C` channels by what all of them are on average over the map; between are `SQUEEZE`.
    block squeeze_excitation<C, SQUEEZE> {
        multiply {
            [],
            [avgpool: adaptive_avg_pool2d<1>, fc1: conv2d<SQUEEZE, 1>, silu, fc2: conv2d<C, 1>, sigmoid],
        },
    }

    /// `EXPANDED` channels, filtered by `K` x `K`, weighed, and projected to `C`.
    block inverted<EXPANDED, K, STRIDE, C, SQUEEZE> {
        block: [
            [conv2d<EXPANDED, 1>(bias = false), batch_norm2d, silu],
            [
                conv2d<EXPANDED, K>(stride = STRIDE, padding = K / 2, groups = EXPANDED, bias = false),
                batch_norm2d,
                silu,
            ],
            squeeze_excitation<EXPANDED, SQUEEZE>,
            [conv2d<C, 1>(bias = false), batch_norm2d],
        ],
    }

    /// Six times the channels between.
    block wider<K, STRIDE, C> { _: inverted<{6 * channels}, K, STRIDE, C, {channels / 4}> }

    /// It beside the identity; the deeper it is, the more often it is dropped.
    block residual<K, DEPTH> {
        add { [_: wider<K, 1, channels>, stochastic_depth: drop_path(p = {0.2 * DEPTH as f64 / 16.0})], [] },
    }

    /// EfficientNet-B0 for 224 x 224 colour images of 1000 classes.
    pub EfficientNetB0<3, 224, 224> {
        features: [
            [conv2d<32, 3>(stride = 2, padding = 1, bias = false), batch_norm2d, silu],
            [
                [
                    block: [
                        [conv2d<32, 3>(padding = 1, groups = 32, bias = false), batch_norm2d, silu],
                        squeeze_excitation<32, 8>,
                        [conv2d<16, 1>(bias = false), batch_norm2d],
                    ],
                ],
            ]                                                                           => <16, 112, 112>,
            [wider<3, 2, 24>, residual<3, 2>]                                           => <24, 56, 56>,
            [wider<5, 2, 40>, residual<5, 4>]                                           => <40, 28, 28>,
            [wider<3, 2, 80>, residual<3, 6>, residual<3, 7>]                           => <80, 14, 14>,
            [wider<5, 1, 112>, residual<5, 9>, residual<5, 10>]                         => <112, 14, 14>,
            [wider<5, 2, 192>, residual<5, 12>, residual<5, 13>, residual<5, 14>]       => <192, 7, 7>,
            [wider<3, 1, 320>]                                                          => <320, 7, 7>,
            [conv2d<1280, 1>(bias = false), batch_norm2d, silu],
        ],
        adaptive_avg_pool2d<1>, flatten                                                 => <1280>,
        classifier: [dropout(p = 0.2), linear<1000>],
    }
}
