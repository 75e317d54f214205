use cnn_core::prelude::*;

const CLASSES: usize = 10;

network! {
    Net<3, 32, 32> { conv1: conv2d(6, 5), relu, conv2: conv2d(16, (3, 5), stride = 2), flatten, fc: linear(CLASSES) }
}

fn main() {
    let _ = Net::new(0);
}
