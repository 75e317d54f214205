use cnn_core::prelude::*;

network! {
    Net<16, 8, 8> { multiply { relu, [], conv2d<16, 3> }, relu }
}

fn main() {
    let _ = Net::new(0);
}
