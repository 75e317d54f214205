use cnn_core::prelude::*;

network! {
    Net<3, 32, 32> {
        conv1: conv2d[64, 3], relu
    }
}

fn main() {
    let _ = Net::new(0);
}
