//! ShuffleNetV2 (Ma et al. 2018, "ShuffleNet V2: practical guidelines for efficient CNN architecture design"), the one with
//! torchvision's names and numbers of `shufflenet_v2_x1_0`.

use cnn_core::prelude::*;

network! {
    /// A filter in each of `C` channels, between two 1 x 1 convolutions.
    block filtered<C, STRIDE> {
        conv2d<C, 1>(bias = false), batch_norm2d, relu,
        conv2d<C, 3>(stride = STRIDE, padding = 1, groups = C, bias = false), batch_norm2d,
        conv2d<C, 1>(bias = false), batch_norm2d, relu,
    }

    /// Half of the channels as they are, beside the other half, filtered.
    block unit {
        concat {
            channel_slice<0, {channels / 2}>,
            [channel_slice<{channels / 2}, channels>, branch2: filtered<channels, 1>],
        },
        channel_shuffle<2>,
    }

    /// `C` channels at half the resolution.
    block down<C> {
        concat {
            branch1: [
                conv2d<channels, 3>(stride = 2, padding = 1, groups = channels, bias = false), batch_norm2d,
                conv2d<{C / 2}, 1>(bias = false), batch_norm2d, relu,
            ],
            branch2: filtered<{C / 2}, 2>,
        },
        channel_shuffle<2>,
    }

    /// ShuffleNetV2 for 224 x 224 colour images of 1000 classes.
    pub ShuffleNetV2<3, 224, 224> {
        conv1: [conv2d<24, 3>(stride = 2, padding = 1, bias = false), batch_norm2d, relu],
        max_pool2d<3>(stride = 2, padding = 1)                              => <24, 56, 56>,
        stage2: [down<116>, repeat<3> [unit]]                               => <116, 28, 28>,
        stage3: [down<232>, repeat<7> [unit]]                               => <232, 14, 14>,
        stage4: [down<464>, repeat<3> [unit]]                               => <464, 7, 7>,
        conv5: [conv2d<1024, 1>(bias = false), batch_norm2d, relu],
        adaptive_avg_pool2d<1>, flatten                                     => <1024>,
        fc: linear<1000>,
    }
}
