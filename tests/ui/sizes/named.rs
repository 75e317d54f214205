use cnn_core::prelude::*;

network! {
    Net<3, 32, 32> {
        conv2d<64, kernel_size = 3>, relu
    }
}

fn main() {
    let _ = Net::new(0);
}
