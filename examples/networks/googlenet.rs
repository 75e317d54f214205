//! GoogLeNet (Szegedy et al. 2014, "Going deeper with convolutions"), with torchvision's names and numbers: batch
//! normalization, 3 x 3 kernels where the paper has 5 x 5, and no auxiliary heads.

use cnn_core::prelude::*;

network! {
    /// A convolution that keeps the resolution.
    block basic_conv2d<C, K> {
        conv: conv2d<C, K>(padding = K / 2, bias = false), bn: batch_norm2d(eps = 0.001), relu,
    }

    /// Four views of the map: 1 x 1, 3 x 3, once more 3 x 3, and pooled. The 3 x 3 ones see fewer channels.
    block inception<C1, REDUCED2, C2, REDUCED3, C3, C4> {
        concat {
            branch1: basic_conv2d<C1, 1>,
            branch2: [basic_conv2d<REDUCED2, 1>, basic_conv2d<C2, 3>],
            branch3: [basic_conv2d<REDUCED3, 1>, basic_conv2d<C3, 3>],
            branch4: [max_pool2d<3>(stride = 1, padding = 1, ceil_mode = true), basic_conv2d<C4, 1>],
        },
    }

    /// GoogLeNet for 224 x 224 colour images of 1000 classes.
    pub GoogLeNet<3, 224, 224> {
        conv1: [conv: conv2d<64, 7>(stride = 2, padding = 3, bias = false), bn: batch_norm2d(eps = 0.001), relu],
        maxpool1: max_pool2d<3>(stride = 2, ceil_mode = true)       => <64, 56, 56>,
        conv2: basic_conv2d<64, 1>,
        conv3: basic_conv2d<192, 3>,
        maxpool2: max_pool2d<3>(stride = 2, ceil_mode = true)       => <192, 28, 28>,
        inception3a: inception<64, 96, 128, 16, 32, 32>             => <256, 28, 28>,
        inception3b: inception<128, 128, 192, 32, 96, 64>           => <480, 28, 28>,
        maxpool3: max_pool2d<3>(stride = 2, ceil_mode = true)       => <480, 14, 14>,
        inception4a: inception<192, 96, 208, 16, 48, 64>            => <512, 14, 14>,
        inception4b: inception<160, 112, 224, 24, 64, 64>           => <512, 14, 14>,
        inception4c: inception<128, 128, 256, 24, 64, 64>           => <512, 14, 14>,
        inception4d: inception<112, 144, 288, 32, 64, 64>           => <528, 14, 14>,
        inception4e: inception<256, 160, 320, 32, 128, 128>         => <832, 14, 14>,
        maxpool4: max_pool2d<2>(ceil_mode = true)                   => <832, 7, 7>,
        inception5a: inception<256, 160, 320, 32, 128, 128>         => <832, 7, 7>,
        inception5b: inception<384, 192, 384, 48, 128, 128>         => <1024, 7, 7>,
        avgpool: adaptive_avg_pool2d<1>, flatten                    => <1024>,
        dropout: dropout(p = 0.2),
        fc: linear<1000>,
    }
}
