use cnn_core::prelude::*;

network! {
    Net<16, 8, 8> {
        // Branches without labels lend their names to the sequence around them.
        layer1: [add { [conv2d<16, 1>, relu], [conv2d<16, 1>] }, relu],
    }
}

fn main() {
    let _ = Net::new(0);
}
