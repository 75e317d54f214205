use cnn_core::prelude::*;

network! {
    Net<3, 32, 32> {
        conv2d<8>(kernel_size = 3, padding = 1), conv2d(out_channels = 2 * 4, kernel_size = (3, 1)), max_pool2d(kernel_size = 2)
    }
}

fn main() {
    let _ = Net::new(0);
}
