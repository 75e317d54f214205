use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> {
        conv1: conv2d<6, 5>(padding = 2, paddin = 2),
        relu7,
        conv2: conv2d<16, 0>(stride = 0),
        relu => <16, 10, 10>,
        dropout(p = 2), conv3: conv2d<16, 11>,
        max_pool2d<2>(padding = 1),
        flatten,
        flaten => <400>,
        conv3: linear<10>,
        repeat<3> [linear<{ 5 - 5 }>, relu],
    }
    Other<1, 28, 28> { conv2d<6, 29>, linear<10> }
}

fn main() {
    let _ = Net::new(0);
}
