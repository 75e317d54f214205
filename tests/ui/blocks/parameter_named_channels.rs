use cnn_core::prelude::*;

network! {
    block down<channels> { conv2d<channels, 1>, relu }
    Net<3, 8, 8> { down<16> }
}

fn main() {
    let _ = Net::new(0);
}
