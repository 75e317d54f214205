use cnn_core::prelude::*;

network! {
    A<1, 1, 3981> { conv2d<8, (1, 80)>, max_pool2d<4> }
    B<1, 1, 100> { conv2d<{ 2 * 4 }, 3> }
    C<1, 64, 1> { avg_pool2d<4>(stride = 2) }
}

fn main() {}
