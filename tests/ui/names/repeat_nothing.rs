use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> {
        repeat<0> [relu], flatten
    }
}

fn main() {
    let _ = Net::new(0);
}
