use cnn_core::prelude::*;

network! {
    /// Padding of three sides.
    pub Net<1, 5, 5> { conv: conv2d<8, 3>(padding = (1, 2, 0)) }
}

fn main() {
    let _ = Net::new(0);
}
