use cnn_core::prelude::*;

network! {
    Net<3, 16, 16> { conv2d<8, 3> as low, relu, add { [], low<8>(scale = 2) } }
}

fn main() {
    let _ = Net::new(0);
}
