use cnn_core::prelude::*;

network! {
    Net<4, 2, 2> { flatten, fc: linear<16>, share<fc> }
}

fn main() {
    let _ = Net::new(0);
}
