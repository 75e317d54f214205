use cnn_core::prelude::*;

network! {
    Net<100> {
        adaptive_avg_pool2d<1>
    }
}

fn main() {
    let _ = Net::new(0);
}
