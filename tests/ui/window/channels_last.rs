use cnn_core::prelude::*;

network! {
    A<32, 32, 3> { conv2d<8, 3>, max_pool2d<2> }
    B<28, 28, 1> { conv2d<8, 3> }
}

fn main() {}
