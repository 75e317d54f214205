use cnn_core::prelude::*;

network! {
    Net<3, 32, 32> {
        cat { conv2d<8, 3>, conv2d<8, 3> }
    }
}

fn main() {
    let _ = Net::new(0);
}
