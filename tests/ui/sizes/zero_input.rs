use cnn_core::prelude::*;

network! {
    Net<1, 0, 28> {
        conv2d<6, 5>
    }
}

fn main() {
    let _ = Net::new(0);
}
