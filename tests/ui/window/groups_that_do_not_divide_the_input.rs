use cnn_core::prelude::*;

network! {
    /// Three groups of 16 channels.
    pub Net<16, 8, 8> { conv: conv2d<24, 3>(groups = 3) }
}

fn main() {
    let _ = Net::new(0);
}
