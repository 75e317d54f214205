use cnn_core::prelude::*;

network! {
    /// A map that no memory holds.
    pub Net<1, 5, 5> { up: upsample(scale_factor = 1_000_000_000_000) }
}

fn main() {
    let _ = Net::new(0);
}
