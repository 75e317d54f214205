use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> {
        conv2d<6, 5>{ padding = 2 }, relu
    }
}

fn main() {
    let _ = Net::new(0);
}
