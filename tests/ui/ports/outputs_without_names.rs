use cnn_core::prelude::*;

network! {
    Net<3, 8, 8> { conv2d<8, 3>, outputs { [conv2d<2, 1>], b: flatten, b: relu, relu } }
    Other<3, 8, 8> { conv2d<8, 3>, outputs {} }
    Third<3, 8, 8> { ends: outputs { a: relu, b: flatten } }
}

fn main() {
    let _ = Net::new(0);
}
