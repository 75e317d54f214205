use cnn_core::prelude::*;

network! {
    block bottleneck<C> { conv2d<C, 1>, relu }
    Net<3, 8, 8> { botleneck<16>, relu }
}

fn main() {
    let _ = Net::new(0);
}
