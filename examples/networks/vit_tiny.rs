//! A vision transformer (Dosovitskiy et al. 2021, "An image is worth 16x16 words") of DeiT-Ti's size (Touvron et al. 2021), with
//! the mean of its patches in the place of a class token (Beyer et al. 2022, "Better plain ViT baselines for ImageNet-1k").

use cnn_core::prelude::*;

network! {
    /// Every patch looks at every other, in `HEADS` ways; then each is looked at by itself.
    block layer<HEADS> {
        add {
            [
                ln_1: layer_norm(over = channels, eps = 0.000001) as x,
                q: linear<channels>(over = channels), reshape<HEADS, {channels / HEADS}, width>, transpose as q,
                x, k: linear<channels>(over = channels), reshape<HEADS, {channels / HEADS}, width> as k,
                x, v: linear<channels>(over = channels), reshape<HEADS, {channels / HEADS}, width> as v,
                matmul { q, k }, map(|scores| 0.125 * scores), softmax(over = width), transpose as weights,
                matmul { v, weights }, reshape<{channels * height}, 1, width>, out: linear<channels>(over = channels),
            ],
            [],
        },
        add {
            [
                ln_2: layer_norm(over = channels, eps = 0.000001),
                fc1: linear<{4 * channels}>(over = channels), gelu, fc2: linear<{channels / 4}>(over = channels),
            ],
            [],
        },
    }

    /// 16 x 16 patches of 224 x 224 colour images of 1000 classes.
    pub ViTTiny<3, 224, 224> {
        conv_proj: conv2d<192, 16>(stride = 16), reshape<192, 1, 196> as patches,
        pos_embedding: parameter<192, 1, 196> as places,
        patches, map(|patch, places| patch + places),
        layers: repeat<12> [layer<3>],
        ln: layer_norm(over = channels, eps = 0.000001), mean(over = space), flatten, head: linear<1000>,
    }
}
