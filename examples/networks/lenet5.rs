//! LeNet-5 (LeCun et al. 1998, "Gradient-based learning applied to document recognition"), as it is taught today: with
//! rectified units and max pooling.

use cnn_core::prelude::*;

network! {
    /// LeNet-5 for 28 x 28 grey images.
    pub LeNet5<1, 28, 28> {
        conv1: conv2d<6, 5>(padding = 2),
        relu,
        max_pool2d<2>,
        conv2: conv2d<16, 5>,
        relu,
        max_pool2d<2>,
        flatten,
        fc1: linear<120>,
        relu,
        fc2: linear<84>,
        relu,
        fc3: linear<10>,
    }
}
