use cnn_core::prelude::*;

network! {
    Net<16, 8, 8> { add [relu, conv2d<16, 1>], relu }
}

fn main() {
    let _ = Net::new(0);
}
