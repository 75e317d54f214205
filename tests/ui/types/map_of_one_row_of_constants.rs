use cnn_core::prelude::*;

const WIDTH: usize = 100;

network! {
    Net<1, 1, WIDTH> { conv2d<8, 3> }
}

fn main() {
    let _ = Net::new(0);
}
