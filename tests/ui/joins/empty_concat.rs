use cnn_core::prelude::*;

network! {
    Net<16, 8, 8> { inception: concat {}, relu }
}

fn main() {
    let _ = Net::new(0);
}
