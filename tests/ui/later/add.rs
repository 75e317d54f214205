use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> {
        conv1: conv2d<6, 5>, add { [conv2d<6, 3>(padding = 1)], [] }, relu
    }
}

fn main() {
    let _ = Net::new(0);
}
