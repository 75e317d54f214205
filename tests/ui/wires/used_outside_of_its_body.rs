use cnn_core::prelude::*;

network! {
    Net<3, 16, 16> { stem: [conv2d<8, 3>(padding = 1) as low, relu, add { [], low }], max_pool2d<2>, [low, relu] }
}

fn main() {
    let _ = Net::new(0);
}
