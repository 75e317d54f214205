use cnn_core::prelude::*;

network! {
    block down<C> { conv2d<C, 1>, relu, rest: [down<{ 2 * C }>] }
    Net<3, 8, 8> { down<16>, down<32> }
}

fn main() {
    let _ = Net::new(0);
}
