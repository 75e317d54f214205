use cnn_core::prelude::*;

network! {
    block cell<C> { conv2d<C, 1> }
    block cell<C> { conv2d<C, 3> }
    Net<3, 8, 8> { cell<2> }
}

fn main() {
    let _ = Net::new(0);
}
