use cnn_core::prelude::*;

network! {
    Net<16, 8, 8> { relu, concat }
}

fn main() {
    let _ = Net::new(0);
}
