use cnn_core::prelude::*;

network! {
    Net<4, 1, 28, 28> {
        conv2d<6, 5>
    }
}

fn main() {
    let _ = Net::new(0);
}
