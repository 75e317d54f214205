use cnn_core::prelude::*;

network! {
    block merge<skip, C> { concat { [], skip }, conv2d<C, 1> }

    Net<3, 16, 16> { conv2d<8, 3> as low, relu, merge<8, low>, flatten, linear<10> }
}

fn main() {
    let _ = Net::new(0);
}
