use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> {
        conv2d<8, 3>(stride = 2, strict), relu
    }
}

fn main() {
    let _ = Net::new(0);
}
