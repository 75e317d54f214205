use cnn_core::prelude::*;

network! {
    Net<3, 32, 32> {
        conv2d<8, 3> -> <8, 30, 30>, relu
    }
}

fn main() {
    let _ = Net::new(0);
}
