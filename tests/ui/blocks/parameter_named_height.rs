use cnn_core::prelude::*;

network! {
    block pool<height, width> { adaptive_avg_pool2d<(height, width)> }
    Net<3, 8, 8> { pool<2, 3> }
}

fn main() {
    let _ = Net::new(0);
}
