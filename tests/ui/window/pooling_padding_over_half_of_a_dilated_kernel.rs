use cnn_core::prelude::*;

network! {
    /// The dilation makes no room for more padding.
    pub Net<1, 8, 8> { pool: max_pool2d<3>(stride = 1, padding = 2, dilation = 2) }
}

fn main() {
    let _ = Net::new(0);
}
