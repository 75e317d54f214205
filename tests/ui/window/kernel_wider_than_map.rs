use cnn_core::prelude::*;

network! {
    Net<3, 12, 8> {
        conv2d<6, (3, 9)>(padding = (1, 0)),
    }
}

fn main() {
    let _ = Net::new(0);
}
