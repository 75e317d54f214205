use cnn_core::prelude::*;

network! {
    /// A map inside out.
    pub Net<1, 5, 5> { up: upsample(scale_factor = -1.5) }
}

fn main() {
    let _ = Net::new(0);
}
