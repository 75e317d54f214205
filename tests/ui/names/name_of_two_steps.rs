use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> {
        conv: conv2d<6, 5>, repeat<1> [conv: conv2d<6, 5>]
    }
}

fn main() {
    let _ = Net::new(0);
}
