use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> {
        conv1: conv2d
    }
}

fn main() {
    let _ = Net::new(0);
}
