use cnn_core::prelude::*;

network! {
    Net<64, 56, 56> {
        block1: add { [conv1: conv2d<64, 1>, relu, conv2: conv2d<256, 1>], shortcut: [] }, relu,
    }
}

fn main() {
    let _ = Net::new(0);
}
