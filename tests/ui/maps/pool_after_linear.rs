use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> {
        flatten, fc: linear<64>, max_pool2d<2>
    }
}

fn main() {
    let _ = Net::new(0);
}
