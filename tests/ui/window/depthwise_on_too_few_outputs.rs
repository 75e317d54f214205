use cnn_core::prelude::*;

network! {
    /// A group for each channel, but not an output.
    pub Net<16, 8, 8> { conv: conv2d<8, 3>(groups = channels) }
}

fn main() {
    let _ = Net::new(0);
}
