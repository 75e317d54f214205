use cnn_core::prelude::*;

network! {
    /// A negative variance to add.
    pub Net<1, 5, 5> { norm: batch_norm2d(eps = -0.1) }
}

fn main() {
    let _ = Net::new(0);
}
