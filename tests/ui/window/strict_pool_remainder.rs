use cnn_core::prelude::*;

network! {
    Net<8, 7, 7> {
        pool: max_pool2d<2>(strict)
    }
}

fn main() {
    let _ = Net::new(0);
}
