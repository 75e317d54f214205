use cnn_core::prelude::*;

network! {
    block merge { concat { [], low } }

    Net<3, 16, 16> { conv2d<8, 3> as low, relu, merge, [low, relu], flatten, linear<10> }
}

fn main() {
    let _ = Net::new(0);
}
