use cnn_core::prelude::*;

network! {
    Net<3, 32, 32> {
        type: conv2d<8, 3>, self: relu
    }
}

fn main() {
    let _ = Net::new(0);
}
