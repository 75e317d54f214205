use cnn_core::prelude::*;

network! {
    A<3, 100, 100> { repeat<6> [[conv2d<8, 3>, relu, max_pool2d<2>]] }
    B<3, 10, 10> { repeat<2> [conv2d<8, 7>] }
    C<3, 10, 10> { repeat<4> [conv2d<8, 12>] }
}

fn main() {}
