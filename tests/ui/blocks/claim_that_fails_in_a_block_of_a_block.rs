use cnn_core::prelude::*;

network! {
    block cell<C> { conv2d<C, 3>, relu => <C, 6, 6> }
    block pair<C> { cell<C>, max_pool2d<2>, cell<{ 2 * C }> }
    Net<3, 8, 8> { body: pair<4> }
}

fn main() {
    let _ = Net::new(0);
}
