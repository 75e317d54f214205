use cnn_core::prelude::*;

network! {
    Net<3, 32, 32> { conv2d<4, 3>, norm: batch_norm2d(4), relu(0.1) }
}

fn main() {
    let _ = Net::new(0);
}
