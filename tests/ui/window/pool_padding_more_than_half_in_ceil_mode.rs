use cnn_core::prelude::*;

network! {
    /// Windows in the padding.
    pub Net<1, 5, 5> { pool: max_pool2d<2>(padding = 2, ceil_mode = true) }
}

fn main() {
    let _ = Net::new(0);
}
