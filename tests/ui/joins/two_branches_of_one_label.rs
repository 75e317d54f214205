use cnn_core::prelude::*;

network! {
    Net<16, 8, 8> { concat { a: conv2d<8, 1>, b: relu, a: conv2d<8, 1> } }
}

fn main() {
    let _ = Net::new(0);
}
