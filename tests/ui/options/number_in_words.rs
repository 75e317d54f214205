use cnn_core::prelude::*;

network! {
    /// A word for a number.
    pub Net<1, 5, 5> { norm: batch_norm2d(eps = tiny) }
}

fn main() {
    let _ = Net::new(0);
}
