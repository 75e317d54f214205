use cnn_core::prelude::*;

network! {
    // Columns of the first are not rows of the second, though the transpose would be.
    pub Unlike<1, 8, 6> { conv2d<1, 3> as x, matmul { x, [conv2d<1, 1>] }, flatten }

    // Nothing of both is alike.
    pub Strange<1, 8, 6> { matmul { [], [max_pool2d<(2, 3)>] }, flatten }

    // Other channels.
    pub Channels<1, 8, 8> { matmul { [], conv2d<3, 3>(padding = 1) }, flatten }

    // Features are no matrix.
    pub Features<1, 8, 8> { matmul { [], [flatten, linear<16>] }, flatten }

    // Three factors.
    pub Three<1, 8, 8> { matmul { [], [], [] }, flatten }
}

const SIDE: usize = 5;

network! {
    // Sizes that only rustc knows.
    pub Hidden<1, SIDE, 4> { matmul { [], [] }, flatten }
}

fn main() {}
