use cnn_core::prelude::*;

network! {
    block act<relu> { relu }
    Net<3, 8, 8> { act<sigmoid> }
}

fn main() {
    let _ = Net::new(0);
}
