use cnn_core::prelude::*;

network! {
    block ResBlock<C> { conv2d<C, 3> }
    Net<3, 32, 32> { ResBlock<16>, relu }
    Other<3, 32, 32> { ResBlock<8>, ResBlock(8) }
}

fn main() {
    let _ = Net::new(0);
}
