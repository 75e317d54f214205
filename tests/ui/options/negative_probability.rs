use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> {
        drop: dropout(p = -0.5), flatten, fc: linear<10>
    }
}

fn main() {
    let _ = Net::new(0);
}
