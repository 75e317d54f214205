use cnn_core::prelude::*;

network! {
    Net<3, 8, 8> { concat { a: [adaptive_avg_pool2d<1>, flatten], b: conv2d<3, 1> }, relu }
}

fn main() {
    let _ = Net::new(0);
}
