use cnn_core::prelude::*;

network! {
    /// A rectifier that mirrors.
    pub Net<1, 5, 5> { act: leaky_relu(negative_slope = -0.1) }
}

fn main() {
    let _ = Net::new(0);
}
