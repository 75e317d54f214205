use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> {
        lstm<6>, relu
    }
}

fn main() {
    let _ = Net::new(0);
}
