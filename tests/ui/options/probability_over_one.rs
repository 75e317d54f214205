use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> {
        dropout(p = 1.5), flatten, fc: linear<10>
    }
}

fn main() {
    let _ = Net::new(0);
}
