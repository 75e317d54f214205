use cnn_core::prelude::*;

network! {
    /// An approximation that does not exist.
    pub Net<1, 5, 5> { act: gelu(approximate = sigmoid) }
}

fn main() {
    let _ = Net::new(0);
}
