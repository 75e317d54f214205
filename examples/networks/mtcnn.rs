//! MTCNN (Zhang et al. 2016, "Joint face detection and alignment using multitask cascaded convolutional networks"), with the
//! names and numbers of the PyPI package facenet-pytorch: three networks, of which each looks at what the one before it found.
//!
//! The package's `pnet.pt`, `rnet.pt` and `onet.pt` load as they are. But the first linear layer of R-Net and of O-Net has its inputs
//! in the order columns, rows, channels there, and in PyTorch's own, channels, rows, columns, here; so its weight is turned:
//!
//! ```text
//! net.load("rnet.pt")?; // `dense4`: 3 columns, 3 rows, 64 channels; in onet.pt `dense5`: 3, 3, 128
//! for weights in net.weights_mut().tensor_mut("dense4.weight")?.chunks_exact_mut(3 * 3 * 64) {
//!     let theirs = weights.to_vec();
//!     for (to, weight) in weights.iter_mut().enumerate() {
//!         *weight = theirs[(to % 3 * 3 + to / 3 % 3) * 64 + to / 9];
//!     }
//! }
//! ```
//!
//! Pixels are `(value - 127.5) / 128`, red, green, blue.

use cnn_core::prelude::*;

network! {
    /// P-Net, which proposes: a probability and a box for every 12 x 12 window of a picture, each two pixels on. The sizes are
    /// those of windows, to learn from, and of a picture of 96 x 128 with its smaller copies, each by a factor of 0.709.
    pub PNet<3, H, W> for [(12, 12), (96, 128), (69, 91), (49, 65), (35, 46), (25, 33), (18, 23)] {
        conv1: conv2d<10, 3>, prelu1: prelu(num_parameters = channels),
        pool1: max_pool2d<2>(ceil_mode = true),
        conv2: conv2d<16, 3>, prelu2: prelu(num_parameters = channels),
        conv3: conv2d<32, 3>, prelu3: prelu(num_parameters = channels) as seen,
        outputs {
            boxes: [conv4_2: conv2d<4, 1>],
            probability: [seen, conv4_1: conv2d<2, 1>, softmax4_1: softmax],
        },
    }

    /// R-Net, which refines a proposal.
    pub RNet<3, 24, 24> {
        conv1: conv2d<28, 3>, prelu1: prelu(num_parameters = channels),
        pool1: max_pool2d<3>(stride = 2, ceil_mode = true)      => <28, 11, 11>,
        conv2: conv2d<48, 3>, prelu2: prelu(num_parameters = channels),
        pool2: max_pool2d<3>(stride = 2, ceil_mode = true)      => <48, 4, 4>,
        conv3: conv2d<64, 2>, prelu3: prelu(num_parameters = channels),
        flatten                                                 => <576>,
        dense4: linear<128>, prelu4: prelu(num_parameters = 128) as seen,
        outputs {
            boxes: [dense5_2: linear<4>],
            probability: [seen, dense5_1: linear<2>, softmax5_1: softmax],
        },
    }

    /// O-Net, which decides, and says where eyes, nose and mouth are: five columns, then five rows.
    pub ONet<3, 48, 48> {
        conv1: conv2d<32, 3>, prelu1: prelu(num_parameters = channels),
        pool1: max_pool2d<3>(stride = 2, ceil_mode = true)      => <32, 23, 23>,
        conv2: conv2d<64, 3>, prelu2: prelu(num_parameters = channels),
        pool2: max_pool2d<3>(stride = 2, ceil_mode = true)      => <64, 10, 10>,
        conv3: conv2d<64, 3>, prelu3: prelu(num_parameters = channels),
        pool3: max_pool2d<2>(ceil_mode = true)                  => <64, 4, 4>,
        conv4: conv2d<128, 2>, prelu4: prelu(num_parameters = channels),
        flatten                                                 => <1152>,
        dense5: linear<256>, prelu5: prelu(num_parameters = 256) as seen,
        outputs {
            boxes: [dense6_2: linear<4>],
            points: [seen, dense6_3: linear<10>],
            probability: [seen, dense6_1: linear<2>, softmax6_1: softmax],
        },
    }
}
