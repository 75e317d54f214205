use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> {
        flatten, fc: linear<{ 2 * channels }>
    }
}

fn main() {
    let _ = Net::new(0);
}
