use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> {
        conv1: conv2d<6, 5>(padding = 2), relu,
        max_pool2d<2> => <6, 13, 13>, flatten, fc: linear<10>
    }
}

fn main() {
    let _ = Net::new(0);
}
