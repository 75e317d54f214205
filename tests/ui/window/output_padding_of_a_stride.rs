use cnn_core::prelude::*;

network! {
    /// A remainder of a whole stride.
    pub Net<1, 5, 5> { up: conv_transpose2d<1, 3>(stride = 2, output_padding = 2) }
}

fn main() {
    let _ = Net::new(0);
}
