use cnn_core::prelude::*;

network! {
    /// A fifth of a cell.
    pub Net<1, 5, 2> { up: upsample(scale_factor = (1, 0.4)) }
}

fn main() {
    let _ = Net::new(0);
}
