use cnn_core::prelude::*;

network! {
    /// What all values of a channel that are the same would be divided by.
    pub Net<1, 5, 5> { norm: batch_norm2d(eps = 0) }
}

fn main() {
    let _ = Net::new(0);
}
