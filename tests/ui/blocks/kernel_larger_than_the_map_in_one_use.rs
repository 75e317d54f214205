use cnn_core::prelude::*;

network! {
    block down<C> { conv2d<C, 3>, max_pool2d<2>, relu }
    Net<3, 12, 12> { layer1: [down<16>], layer2: [down<32>, down<64>] }
}

fn main() {
    let _ = Net::new(0);
}
