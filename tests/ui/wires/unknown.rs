use cnn_core::prelude::*;

network! {
    Net<3, 16, 16> {
        conv2d<8, 3>(padding = 1) as low, max_pool2d<2>, conv2d<8, 3>(padding = 1),
        concat { [upsample(scale_factor = 2)], lwo },
    }
}

fn main() {
    let _ = Net::new(0);
}
