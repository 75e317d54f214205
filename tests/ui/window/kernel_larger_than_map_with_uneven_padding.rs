use cnn_core::prelude::*;

network! {
    /// Padding on one side.
    pub Net<1, 5, 5> { conv: conv2d<8, 9>(padding = (1, 2, 0, 3)) }
}

fn main() {
    let _ = Net::new(0);
}
