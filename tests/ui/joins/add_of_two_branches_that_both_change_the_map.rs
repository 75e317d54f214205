use cnn_core::prelude::*;

network! {
    Net<3, 32, 32> {
        add { left: [conv2d<8, 5>, max_pool2d<2>, relu], right: [conv2d<16, 3>(padding = 1), max_pool2d<2>] }, flatten,
    }
}

fn main() {
    let _ = Net::new(0);
}
