use cnn_core::prelude::*;

network! {
    /// A dot, nothing, and one name twice.
    pub Net<1, 8, 8> {
        "block1.0": conv2d<2, 1>,
        "": conv2d<2, 1>,
        "-a": relu,
        "a-b": conv2d<2, 1>,
        a_b: conv2d<2, 1>,
        "alone":
    }
}

fn main() {
    Net::new(0);
}
