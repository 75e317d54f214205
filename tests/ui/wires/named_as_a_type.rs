use cnn_core::prelude::*;

network! {
    Net<3, 16, 16> { conv2d<8, 3> as Low, relu, flatten, linear<10> }
}

fn main() {
    let _ = Net::new(0);
}
