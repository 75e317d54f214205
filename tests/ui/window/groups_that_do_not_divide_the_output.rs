use cnn_core::prelude::*;

network! {
    /// Four groups for ten channels.
    pub Net<16, 8, 8> { conv: conv2d<10, 3>(groups = 4) }
}

fn main() {
    let _ = Net::new(0);
}
