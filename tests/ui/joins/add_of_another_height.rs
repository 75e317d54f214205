use cnn_core::prelude::*;

network! {
    Net<8, 14, 14> {
        add { [conv1: conv2d<8, 3>(stride = 2, padding = 1), relu, conv2: conv2d<8, 3>(padding = 1)], [] }, flatten,
    }
}

fn main() {
    let _ = Net::new(0);
}
