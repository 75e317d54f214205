use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> {
        flatten, conv1: conv2d<6, 5>, relu
    }
}

fn main() {
    let _ = Net::new(0);
}
