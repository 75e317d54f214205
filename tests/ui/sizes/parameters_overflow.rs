use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> {
        flatten, linear<1000000000000>, fc: linear<9000000000>
    }
}

fn main() {
    let _ = Net::new(0);
}
