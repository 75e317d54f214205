use cnn_core::prelude::*;

network! {
    Net<3, 8, 8> { a: conv2d<6, 3>, share<a> }
    Other<3, 8, 8> { flatten as all, fc: linear<6>, share<fc> }
    Third<3, 8, 8> { norm: [batch_norm2d, relu], conv2d<4, 1>, share<norm> }
    Fourth<3, 8, 8> { pool: max_pool2d<2>, share<pool> }
    Fifth<2, 8, 8> { conv: conv2d<{height}, 1>, max_pool2d<2>, conv2d<2, 1>, share<conv> }
}

fn main() {
    let _ = Net::new(0);
}
