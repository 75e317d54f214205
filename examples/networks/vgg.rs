//! VGG-11 with batch normalization and VGG-16 (Simonyan and Zisserman 2014, "Very deep convolutional networks for large-scale
//! image recognition"), with torchvision's names and numbers.

use cnn_core::prelude::*;

network! {
    /// Three linear layers.
    block classifier { repeat<2> [linear<4096>, relu, dropout], linear<1000> }

    /// VGG-11 for 224 x 224 colour images of 1000 classes.
    pub Vgg11Bn<3, 224, 224> {
        features: [
            conv2d<64, 3>(padding = 1), batch_norm2d, relu, max_pool2d<2>                   => <64, 112, 112>,
            conv2d<128, 3>(padding = 1), batch_norm2d, relu, max_pool2d<2>                  => <128, 56, 56>,
            repeat<2> [conv2d<256, 3>(padding = 1), batch_norm2d, relu], max_pool2d<2>      => <256, 28, 28>,
            repeat<2> [repeat<2> [conv2d<512, 3>(padding = 1), batch_norm2d, relu], max_pool2d<2>],
        ]                                                                                   => <512, 7, 7>,
        flatten,
        classifier: classifier,
    }

    /// VGG-16 for 224 x 224 colour images of 1000 classes.
    pub Vgg16<3, 224, 224> {
        features: [
            repeat<2> [conv2d<64, 3>(padding = 1), relu], max_pool2d<2>                     => <64, 112, 112>,
            repeat<2> [conv2d<128, 3>(padding = 1), relu], max_pool2d<2>                    => <128, 56, 56>,
            repeat<3> [conv2d<256, 3>(padding = 1), relu], max_pool2d<2>                    => <256, 28, 28>,
            repeat<2> [repeat<3> [conv2d<512, 3>(padding = 1), relu], max_pool2d<2>],
        ]                                                                                   => <512, 7, 7>,
        flatten,
        classifier: classifier,
    }
}
