use cnn_core::prelude::*;

network! {
    Net<3, 32, 32> {
        concat { branch1: [conv2d<8, 1>], branch2: [conv2d<8, (3, 1)>, relu] }, relu,
    }
}

fn main() {
    let _ = Net::new(0);
}
