use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> {
        conv1: conv2d<6, 5>, relu, max_pool2d<4>,
        conv2: conv2d<16, 7>, flatten, fc: linear<10>
    }
}

fn main() {
    let _ = Net::new(0);
}
