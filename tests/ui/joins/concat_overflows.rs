use cnn_core::prelude::*;

network! {
    Net<1, 1_000_000, 1_000_000> {
        conv2d<1_000_000, 1>, concat { [], [], [] }, max_pool2d<1000>,
    }
}

fn main() {
    let _ = Net::new(0);
}
