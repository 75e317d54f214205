//! A type of the user's is one by its path, whatever it is called; `Add` is one alone.
use cnn_core::prelude::*;

network! {
    pub Add<3, 8, 8> { relu }
    pub ReLU<3, 8, 8> { relu }
    Net<3, 8, 8> { self::ReLU, Add, zero_pad2d(left = 1, right = 1, top = 0, bottom = 1) => <3, 9, 10>, zero_pad2d(top = 2) => <3, 11, 10> }
}

fn main() {
    let _ = Net::new(0);
}
