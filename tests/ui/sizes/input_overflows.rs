use cnn_core::prelude::*;

network! {
    Net<4000000000, 4000000000, 4000000000> {
        flatten, linear<10>
    }
}

fn main() {
    let _ = Net::new(0);
}
