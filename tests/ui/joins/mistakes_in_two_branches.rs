use cnn_core::prelude::*;

network! {
    Net<16, 8, 8> {
        concat { conv2d<8, 9>, [max_pool2d<2>, linear<3>], relu }, conv2d<3, 3>,
    }
}

fn main() {
    let _ = Net::new(0);
}
