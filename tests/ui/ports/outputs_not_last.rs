use cnn_core::prelude::*;

network! {
    block heads { outputs { a: relu, b: relu6 } }
    Net<3, 8, 8> { conv2d<8, 3>, outputs { a: [conv2d<2, 1>], b: flatten }, relu }
    Other<3, 8, 8> { heads }
    Third<3, 8, 8> { [outputs { a: relu, b: flatten }] }
}

fn main() {
    let _ = Net::new(0);
}
