use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> {
        conv2d<6, 5>, max_pool2d<3>(padding = 2), flatten,
    }
}

fn main() {
    let _ = Net::new(0);
}
