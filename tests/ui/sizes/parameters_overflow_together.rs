use cnn_core::prelude::*;

network! {
    Net<1000000000> {
        linear<1500000000>,
        linear<1500000000>,
    }
}

fn main() {
    let _ = Net::new(0);
}
