use cnn_core::prelude::*;

network! {
    /// Channels of features.
    pub Net<1, 4, 4> { flatten, drop: dropout2d, linear<2> }
}

fn main() {
    let _ = Net::new(0);
}
