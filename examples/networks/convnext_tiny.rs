//! ConvNeXt-Tiny (Liu et al. 2022, "A ConvNet for the 2020s"), with torchvision's names and numbers.

use cnn_core::prelude::*;

network! {
    /// A 7 x 7 filter in each channel, and a linear network of two layers at each place, beside the identity; the deeper, the
    /// more often it is dropped. The steps without effect are where torchvision's block permutes.
    block cell<DEPTH> {
        add {
            [
                block: [
                    conv2d<channels, 7>(padding = 3, groups = channels), [],
                    layer_norm(over = channels, eps = 0.000001),
                    linear<{4 * channels}>(over = channels), gelu, linear<{channels / 4}>(over = channels),
                ],
                layer_scale: layer_scale,
                stochastic_depth: drop_path(p = {0.1 * DEPTH as f64 / 17.0}),
            ],
            [],
        },
    }

    /// `C` channels at half the resolution.
    block down<C> { layer_norm(over = channels, eps = 0.000001), conv2d<C, 2>(stride = 2) }

    /// ConvNeXt-Tiny for 224 x 224 colour images of 1000 classes.
    pub ConvNeXtTiny<3, 224, 224> {
        features: [
            [conv2d<96, 4>(stride = 4), layer_norm(over = channels, eps = 0.000001)]    => <96, 56, 56>,
            [cell<0>, cell<1>, cell<2>],
            down<192>                                                                   => <192, 28, 28>,
            [cell<3>, cell<4>, cell<5>],
            down<384>                                                                   => <384, 14, 14>,
            [cell<6>, cell<7>, cell<8>, cell<9>, cell<10>, cell<11>, cell<12>, cell<13>, cell<14>],
            down<768>                                                                   => <768, 7, 7>,
            [cell<15>, cell<16>, cell<17>],
        ],
        adaptive_avg_pool2d<1>,
        classifier: [layer_norm(over = channels, eps = 0.000001), flatten, linear<1000>],
    }
}
