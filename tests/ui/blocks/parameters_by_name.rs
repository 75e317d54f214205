use cnn_core::prelude::*;

network! {
    block down<C> { conv2d<C, 3>(stride = 2, padding = 1), relu }
    Net<3, 8, 8> { down(C = 16) }
}

fn main() {
    let _ = Net::new(0);
}
