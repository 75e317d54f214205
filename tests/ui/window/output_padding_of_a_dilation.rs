use cnn_core::prelude::*;

network! {
    /// As much as the dilation.
    pub Net<1, 5, 5> { up: conv_transpose2d<1, 3>(padding = 1, dilation = 3, output_padding = 3) }
}

fn main() {
    let _ = Net::new(0);
}
