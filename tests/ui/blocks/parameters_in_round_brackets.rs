use cnn_core::prelude::*;

network! {
    block down<C, STRIDE> { conv2d<C, 3>(stride = STRIDE, padding = 1), relu }
    Net<3, 8, 8> { down<16, 2>, layer2: down(32, 2) }
}

fn main() {
    let _ = Net::new(0);
}
