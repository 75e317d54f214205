use cnn_core::prelude::*;

network! {
    Net<16, 8, 8> { multiply { [], [max_pool2d<4>, gate: conv2d<16, 1>, sigmoid] }, relu }
}

fn main() {
    let _ = Net::new(0);
}
