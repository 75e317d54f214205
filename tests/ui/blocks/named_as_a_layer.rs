use cnn_core::prelude::*;

network! {
    block conv2d<C> { relu }
    Net<3, 8, 8> { conv2d<2> }
}

fn main() {
    let _ = Net::new(0);
}
