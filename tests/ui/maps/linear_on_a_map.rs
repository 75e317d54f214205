use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> {
        conv1: conv2d<6, 5>, relu, fc1: linear<120>, relu, fc2: linear<10>
    }
}

fn main() {
    let _ = Net::new(0);
}
