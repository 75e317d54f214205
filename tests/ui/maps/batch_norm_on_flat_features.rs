use cnn_core::prelude::*;

network! {
    /// Normalizes features as if they were a map.
    pub Net<1, 4, 4> { flatten, norm: batch_norm2d }
}

fn main() {
    let _ = Net::new(0);
}
