use cnn_core::prelude::*;

network! {
    Net<3, 32, 32> { concat { max_pool2d<2>, conv2d<8, 3>(stride = 2, padding = (1, 0)) }, relu }
}

fn main() {
    let _ = Net::new(0);
}
