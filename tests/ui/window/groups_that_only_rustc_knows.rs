use cnn_core::prelude::*;

network! {
    /// Groups behind a map that only rustc knows.
    pub Net<16, 8, 8> { conv2d<{ 4 + 2 * size_of::<u8>() }, 3>, conv: conv2d<8, 3>(groups = 4) }
}

fn main() {
    let _ = Net::new(0);
}
