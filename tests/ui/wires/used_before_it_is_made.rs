use cnn_core::prelude::*;

network! {
    Net<3, 16, 16> { conv2d<8, 3>, concat { [], high }, relu, conv2d<8, 3>(padding = 1) as high }
}

fn main() {
    let _ = Net::new(0);
}
