use cnn_core::prelude::*;

network! {
    A<3, 32, 32> { conv2d<3, 16, 5> }
    B<3, 32, 32> { conv2d<16, 5, 2> }
    C<3, 32, 32> { max_pool2d<2, 2> }
    D<3, 32, 32> { flatten, linear<3072, 10> }
    E<3, 32, 32> { adaptive_avg_pool2d<1, 1> }
    F<3, 32, 32> { conv2d<16, 3x3> }
    G<32x32x3> { relu }
    H<3, 32, 32> { conv2d<16> }
}

fn main() {}
