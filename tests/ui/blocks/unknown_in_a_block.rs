use cnn_core::prelude::*;

network! {
    block basic<C> { conv2d<C, 1>, batchnorm2d, relu }
    Net<3, 8, 8> { layer1: [basic<8>, basic<8>], basic<4> }
}

fn main() {
    let _ = Net::new(0);
}
