use cnn_core::prelude::*;

network! {
    Net<16, 8, 8> { multiply { }, relu }
}

fn main() {
    let _ = Net::new(0);
}
