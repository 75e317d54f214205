use cnn_core::prelude::*;

network! {
    /// No new size.
    pub Net<1, 5, 5> { up: upsample }
}

fn main() {
    let _ = Net::new(0);
}
