use cnn_core::prelude::*;

network! {
    block ping<C> { conv2d<C, 1>, add { pong<C>, [] } }
    block pong<C> { relu, repeat<2> [ping<C>] }
    Net<3, 8, 8> { ping<16>, pong<16> }
}

fn main() {
    let _ = Net::new(0);
}
