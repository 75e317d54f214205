use cnn_core::prelude::*;

network! {
    /// Normalizes features as if they were a map.
    pub Net<6, 4, 4> { flatten, norm: instance_norm2d }
}

fn main() {
    let _ = Net::new(0);
}
