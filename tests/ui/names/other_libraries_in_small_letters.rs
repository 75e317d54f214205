use cnn_core::prelude::*;

network! {
    A<3, 32, 32> { flatten, linear<64>, batch_norm1d }
    B<3, 32, 32> { flatten, dense<10> }
    C<3, 32, 32> { batch_norm, swish }
    D<3, 32, 32> { max_pooling2d<2> }
    E<3, 32, 32> { global_average_pooling2d }
    F<3, 32, 32> { mish }
    G<3, 32, 32> { conv2d_transpose<8, 2> }
}

fn main() {}
