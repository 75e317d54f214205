//! DCGAN (Radford et al. 2015, "Unsupervised representation learning with deep convolutional generative adversarial
//! networks"), with the names and numbers of PyTorch's example.

use cnn_core::prelude::*;

network! {
    /// Makes a 64 x 64 colour image of 100 random numbers.
    pub Generator<100, 1, 1> {
        main: [
            conv_transpose2d<512, 4>(bias = false), batch_norm2d, relu                              => <512, 4, 4>,
            conv_transpose2d<256, 4>(stride = 2, padding = 1, bias = false), batch_norm2d, relu     => <256, 8, 8>,
            conv_transpose2d<128, 4>(stride = 2, padding = 1, bias = false), batch_norm2d, relu     => <128, 16, 16>,
            conv_transpose2d<64, 4>(stride = 2, padding = 1, bias = false), batch_norm2d, relu      => <64, 32, 32>,
            conv_transpose2d<3, 4>(stride = 2, padding = 1, bias = false), tanh                     => <3, 64, 64>,
        ],
    }

    /// How likely such an image is a real one.
    pub Discriminator<3, 64, 64> {
        main: [
            conv2d<64, 4>(stride = 2, padding = 1, bias = false), leaky_relu(negative_slope = 0.2),
            repeat<3> [
                conv2d<{2 * channels}, 4>(stride = 2, padding = 1, bias = false),
                batch_norm2d,
                leaky_relu(negative_slope = 0.2),
            ]                                                                                       => <512, 4, 4>,
            conv2d<1, 4>(bias = false), sigmoid,
        ],
        flatten                                                                                     => <1>,
    }
}
