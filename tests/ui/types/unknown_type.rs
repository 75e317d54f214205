use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> {
        conv1: conv2d<6, 5>, act: Swish, conv2d<6, 5>
    }
}

fn main() {
    let _ = Net::new(0);
}
