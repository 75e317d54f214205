//! U-Net (Ronneberger et al. 2015, "U-Net: convolutional networks for biomedical image segmentation"), as it is built
//! today: with padding, so that the map keeps its size, and with batch normalization.

use cnn_core::prelude::*;

network! {
    /// Two 3 x 3 convolutions.
    block double<C> {
        conv1: conv2d<C, 3>(padding = 1, bias = false), bn1: batch_norm2d, relu,
        conv2: conv2d<C, 3>(padding = 1, bias = false), bn2: batch_norm2d, relu,
    }

    /// Three times down to half the resolution and twice the channels, and up again; on each level the way up sees what
    /// the way down saw.
    block unet<C> {
        encoder1: double<C>,
        concat {
            [],
            [
                max_pool2d<2>, encoder2: double<{2 * C}>,
                concat {
                    [],
                    [
                        max_pool2d<2>, encoder3: double<{4 * C}>,
                        concat {
                            [],
                            [
                                max_pool2d<2>, bottom: double<{8 * C}>,
                                up3: conv_transpose2d<{4 * C}, 2>(stride = 2),
                            ],
                        },
                        decoder3: double<{4 * C}>, up2: conv_transpose2d<{2 * C}, 2>(stride = 2),
                    ],
                },
                decoder2: double<{2 * C}>, up1: conv_transpose2d<C, 2>(stride = 2),
            ],
        },
        decoder1: double<C>,
    }

    /// U-Net for 64 x 64 grey images: each pixel is background or foreground.
    pub UNet<1, 64, 64> {
        unet: unet<16>              => <16, 64, 64>,
        head: conv2d<2, 1>,
    }

    /// U-Net for 128 x 128 colour images, with two classes.
    pub UNetColour<3, 128, 128> {
        unet: unet<16>              => <16, 128, 128>,
        head: conv2d<2, 1>,
    }
}
