use cnn_core::prelude::*;

network! {
    /// Normalizes a map as if it were features.
    pub Net<1, 4, 4> { norm: batch_norm1d, flatten }
}

fn main() {
    let _ = Net::new(0);
}
