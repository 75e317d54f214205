use cnn_core::prelude::*;

network! {
    block pool<P> { max_pool2d<3>(padding = P) }
    Net<3, 8, 8> { pool<1>, pool<2> }
}

fn main() {
    let _ = Net::new(0);
}
