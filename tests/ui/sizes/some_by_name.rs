use cnn_core::prelude::*;

network! {
    Net<3, 32, 32> {
        conv2d(3, 64, kernel_size = 3, padding = 1), max_pool2d(2, stride = 2)
    }
}

fn main() {
    let _ = Net::new(0);
}
