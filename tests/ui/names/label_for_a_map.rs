use cnn_core::prelude::*;

network! {
    Net<3, 32, 32> {
        skip: [conv2d<3, 3>(padding = 1), relu], add { skip, [] }
    }
}

fn main() {
    let _ = Net::new(0);
}
