use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> {
        conv1: conv2d<6, 5>
        relu,
        conv2: conv2d<6, 25>
    }
}

fn main() {
    let _ = Net::new(0);
}
