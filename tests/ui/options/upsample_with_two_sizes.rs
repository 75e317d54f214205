use cnn_core::prelude::*;

network! {
    /// Two new sizes.
    pub Net<1, 5, 5> { up: upsample(size = 10, scale_factor = 2) }
}

fn main() {
    let _ = Net::new(0);
}
