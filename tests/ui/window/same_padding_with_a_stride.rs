use cnn_core::prelude::*;

network! {
    /// A size that is kept and halved.
    pub Net<16, 8, 8> { conv: conv2d<8, 3>(stride = 2, padding = same) }
}

fn main() {
    let _ = Net::new(0);
}
