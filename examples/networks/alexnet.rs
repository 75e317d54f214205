//! AlexNet (Krizhevsky 2014, "One weird trick for parallelizing convolutional neural networks"), with torchvision's names and
//! numbers.

use cnn_core::prelude::*;

network! {
    /// AlexNet for 224 x 224 colour images of 1000 classes.
    pub AlexNet<3, 224, 224> {
        features: [
            conv2d<64, 11>(stride = 4, padding = 2), relu, max_pool2d<3>(stride = 2)    => <64, 27, 27>,
            conv2d<192, 5>(padding = 2), relu, max_pool2d<3>(stride = 2)                => <192, 13, 13>,
            conv2d<384, 3>(padding = 1), relu,
            repeat<2> [conv2d<256, 3>(padding = 1), relu], max_pool2d<3>(stride = 2)    => <256, 6, 6>,
        ],
        flatten                                                                         => <9216>,
        classifier: [repeat<2> [dropout, linear<4096>, relu], linear<1000>],
    }
}
