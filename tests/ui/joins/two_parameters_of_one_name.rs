use cnn_core::prelude::*;

network! {
    Net<16, 8, 8> {
        // Branches without labels lend their labels to the sequence around them.
        layer1: [add { [conv: conv2d<16, 1>, relu], [conv: conv2d<16, 1>] }, relu],
    }
}

fn main() {
    let _ = Net::new(0);
}
