use cnn_core::prelude::*;

network! {
    Net<3, 8, 8> {
        conv: conv2d<6, 3>(dilation = 4),
    }
}

fn main() {
    let _ = Net::new(0);
}
