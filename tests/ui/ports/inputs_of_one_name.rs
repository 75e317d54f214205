use cnn_core::prelude::*;

network! {
    Net<image: <3, 8, 8>, image: <3, 8, 8>> { conv2d<8, 3> }
    Other<relu: <3, 8, 8>, Big: <3, 8, 8>> { add { relu, Big } }
}

fn main() {
    let _ = Net::new(0);
}
