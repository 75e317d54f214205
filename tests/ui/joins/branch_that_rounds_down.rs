use cnn_core::prelude::*;

network! {
    A<3, 30, 30> { concat { [], [pool: max_pool2d<4>, conv2d<8, 3>(padding = 1), upsample(scale_factor = 4, mode = bilinear)] } }
    B<3, 25, 25> { relu as skip, max_pool2d<2>, conv_transpose2d<8, 2>(stride = 2), concat { [], skip } }
    C<3, 25, 26> { add { [], [conv2d<3, 3>(stride = 2, padding = 1), max_pool2d<2>, upsample(scale_factor = 4)] } }
}

fn main() {}
