use cnn_core::prelude::*;

network! {
    block cell<C, C> { conv2d<C, 1> }
    Net<3, 8, 8> { relu }
}

fn main() {
    let _ = Net::new(0);
}
