use cnn_core::prelude::*;

network! {
    /// Corners of what has none.
    pub Net<1, 5, 5> { up: upsample(scale_factor = 2, align_corners = true) }
}

fn main() {
    let _ = Net::new(0);
}
