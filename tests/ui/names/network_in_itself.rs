use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> { relu, Net }
}

fn main() {
    let _ = Net::new(0);
}
