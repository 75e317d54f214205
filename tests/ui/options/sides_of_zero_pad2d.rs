use cnn_core::prelude::*;

network! {
    A<3, 32, 32> { zero_pad2d<1>(left = 1) }
    B<3, 32, 32> { zero_pad2d }
    C<3, 32, 32> { zero_pad2d(1, 2, 3, 4) }
    D<3, 32, 32> { zero_pad2d((1, 2, 3, 4)) }
    E<3, 32, 32> { zero_pad2d<1, 2, 3, 4> }
    F<3, 32, 32> { zero_pad2d(lift = 1) }
    G<3, 32, 32> { zero_pad2d(left = -1, top = 1) }
    H<3, 32, 32> { zero_pad2d(left) }
}

fn main() {}
