//! DenseNet-121 (Huang et al. 2016, "Densely connected convolutional networks"), with torchvision's names and numbers.

use cnn_core::prelude::*;

network! {
    /// Adds 32 channels that are made from all that are there.
    block dense {
        concat {
            [],
            [
                norm1: batch_norm2d, relu, conv1: conv2d<128, 1>(bias = false),
                norm2: batch_norm2d, relu, conv2: conv2d<32, 3>(padding = 1, bias = false),
            ],
        },
    }

    /// Halves the channels and the resolution.
    block transition {
        norm: batch_norm2d, relu, conv: conv2d<{channels / 2}, 1>(bias = false), pool: avg_pool2d<2>,
    }

    /// DenseNet-121 for 224 x 224 colour images of 1000 classes.
    pub DenseNet121<3, 224, 224> {
        features: [
            conv0: conv2d<64, 7>(stride = 2, padding = 3, bias = false), norm0: batch_norm2d, relu,
            pool0: max_pool2d<3>(stride = 2, padding = 1)   => <64, 56, 56>,
            denseblock1: [
                denselayer1: dense, denselayer2: dense, denselayer3: dense, denselayer4: dense,
                denselayer5: dense, denselayer6: dense,
            ]                                               => <256, 56, 56>,
            transition1: transition                         => <128, 28, 28>,
            denseblock2: [
                denselayer1: dense, denselayer2: dense, denselayer3: dense, denselayer4: dense,
                denselayer5: dense, denselayer6: dense, denselayer7: dense, denselayer8: dense,
                denselayer9: dense, denselayer10: dense, denselayer11: dense, denselayer12: dense,
            ]                                               => <512, 28, 28>,
            transition2: transition                         => <256, 14, 14>,
            denseblock3: [
                denselayer1: dense, denselayer2: dense, denselayer3: dense, denselayer4: dense,
                denselayer5: dense, denselayer6: dense, denselayer7: dense, denselayer8: dense,
                denselayer9: dense, denselayer10: dense, denselayer11: dense, denselayer12: dense,
                denselayer13: dense, denselayer14: dense, denselayer15: dense, denselayer16: dense,
                denselayer17: dense, denselayer18: dense, denselayer19: dense, denselayer20: dense,
                denselayer21: dense, denselayer22: dense, denselayer23: dense, denselayer24: dense,
            ]                                               => <1024, 14, 14>,
            transition3: transition                         => <512, 7, 7>,
            denseblock4: [
                denselayer1: dense, denselayer2: dense, denselayer3: dense, denselayer4: dense,
                denselayer5: dense, denselayer6: dense, denselayer7: dense, denselayer8: dense,
                denselayer9: dense, denselayer10: dense, denselayer11: dense, denselayer12: dense,
                denselayer13: dense, denselayer14: dense, denselayer15: dense, denselayer16: dense,
            ]                                               => <1024, 7, 7>,
            norm5: batch_norm2d,
        ],
        relu, adaptive_avg_pool2d<1>, flatten               => <1024>,
        classifier: linear<1000>,
    }
}
