use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> {
        conv2d<6, 5>, relu, max_pool2d<2>, pool: avg_pool2d<13>,
    }
}

fn main() {
    let _ = Net::new(0);
}
