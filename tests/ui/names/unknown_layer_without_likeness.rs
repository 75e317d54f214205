use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> {
        wavelet<6>, relu
    }
}

fn main() {
    let _ = Net::new(0);
}
