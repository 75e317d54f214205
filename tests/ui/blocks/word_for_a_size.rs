use cnn_core::prelude::*;

network! {
    block cell<C> { conv2d<C, 1> }
    Net<3, 8, 8> { cell<true> }
}

fn main() {
    let _ = Net::new(0);
}
