//! A detector in the manner of YOLOv5 (Jocher et al. 2020): cross-stage partial blocks (Wang et al. 2019, "CSPNet"), and a neck
//! with a path up and a path down (Liu et al. 2018, "Path aggregation network for instance segmentation").

use cnn_core::prelude::*;

/// Boxes at each place, and numbers of each: where it is, whether there is one, and of what class.
const BOXES: usize = 3;
const OF_BOX: usize = 4 + 1 + 80;

network! {
    /// A convolution that divides the resolution by its stride.
    block cell<C, K, STRIDE> {
        conv: conv2d<C, K>(stride = STRIDE, padding = K / 2, bias = false), bn: batch_norm2d(eps = 0.001, momentum = 0.03), silu,
    }

    /// 1 x 1 and 3 x 3 convolutions.
    block bottleneck { cv1: cell<channels, 1, 1>, cv2: cell<channels, 3, 1> }

    /// Half of the channels go through `N` of them, beside the identity.
    block csp<C, N> {
        concat {
            [cv1: cell<{C / 2}, 1, 1>, m: repeat<N> [[add { [], [_: bottleneck] }]]],
            cv2: cell<{C / 2}, 1, 1>,
        },
        cv3: cell<C, 1, 1>,
    }

    /// The same through one, and no identity.
    block plain<C> {
        concat { [cv1: cell<{C / 2}, 1, 1>, m: [bottleneck]], cv2: cell<{C / 2}, 1, 1> },
        cv3: cell<C, 1, 1>,
    }

    /// The map beside its greatest values nearby, and nearby those.
    block pooled<C> {
        cv1: cell<{C / 2}, 1, 1> as x,
        max_pool2d<5>(stride = 1, padding = 2) as near,
        max_pool2d<5>(stride = 1, padding = 2) as far,
        max_pool2d<5>(stride = 1, padding = 2) as farther,
        concat { x, near, far, farther },
        cv2: cell<C, 1, 1>,
    }

    /// Boxes in 256 x 256 colour images, on maps of three resolutions.
    pub Detector<3, 256, 256> {
        stem: cell<16, 3, 2>,
        stage2: [down: cell<32, 3, 2>, csp: csp<32, 1>],
        stage3: [down: cell<64, 3, 2>, csp: csp<64, 2>]                     => <64, 32, 32> as p3,
        stage4: [down: cell<128, 3, 2>, csp: csp<128, 3>]                   => <128, 16, 16> as p4,
        stage5: [down: cell<256, 3, 2>, csp: csp<256, 1>, pool: pooled<256>],

        lateral5: cell<128, 1, 1>                                           => <128, 8, 8> as n5,
        concat { [upsample(scale_factor = 2)], p4 }, up4: plain<128>,
        lateral4: cell<64, 1, 1>                                            => <64, 16, 16> as n4,
        concat { [upsample(scale_factor = 2)], p3 }, up3: plain<64>         => <64, 32, 32> as small,
        concat { down4: cell<64, 3, 2>, n4 }, out4: plain<128>              => <128, 16, 16> as medium,
        concat { down5: cell<128, 3, 2>, n5 }, out5: plain<256>             => <256, 8, 8> as large,

        outputs {
            boxes3: [small, head3: conv2d<{BOXES * OF_BOX}, 1>],
            boxes4: [medium, head4: conv2d<{BOXES * OF_BOX}, 1>],
            boxes5: [large, head5: conv2d<{BOXES * OF_BOX}, 1>],
        },
    }
}
