use cnn_core::prelude::*;

network! {
    /// Groups of a transposed convolution.
    pub Net<4, 5, 5> { up: conv_transpose2d<6, 3>(groups = 4) }
}

fn main() {
    let _ = Net::new(0);
}
