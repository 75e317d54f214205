use cnn_core::prelude::*;

network! {
    /// Padding that takes all.
    pub Net<1, 1, 1> { up: conv_transpose2d<1, 3>(padding = 2) }
}

fn main() {
    let _ = Net::new(0);
}
