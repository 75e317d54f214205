use cnn_core::prelude::*;

network! {
    A<3, 32, 32> { flatten, fc: linear<400>, relu, conv_transpose2d<8, 3> }
    B<3, 32, 32> { flatten, linear<97>, upsample(scale_factor = 2) }
    C<784> { conv2d<8, 3> }
    D<3, 32, 32> { flatten, relu, dropout, max_pool2d<2> }
    E<3, 32, 32> { flatten, fc: linear<64>, batch_norm2d }
    F<3, 32, 32> { flatten, fc: linear<64>, dropout2d }
}

fn main() {}
