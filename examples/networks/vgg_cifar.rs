//! A small network in the manner of VGG, for CIFAR-10. Without labels, its weights have the names that PyTorch's
//! `nn.Sequential` gives: `0.weight`, `2.weight`, `5.weight` and so on.

use cnn_core::prelude::*;

network! {
    /// Pairs of 3 x 3 convolutions with 64, 128 and 256 channels, each pair followed by a pooling, for 32 x 32 colour images.
    pub VggCifar<3, 32, 32> {
        conv2d<64, 3>(padding = 1), relu,
        conv2d<64, 3>(padding = 1), relu,
        max_pool2d<2>               => <64, 16, 16>,
        conv2d<128, 3>(padding = 1), relu,
        conv2d<128, 3>(padding = 1), relu,
        max_pool2d<2>               => <128, 8, 8>,
        conv2d<256, 3>(padding = 1), relu,
        conv2d<256, 3>(padding = 1), relu,
        max_pool2d<2>               => <256, 4, 4>,
        flatten,
        linear<10>,
    }
}
