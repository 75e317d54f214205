use cnn_core::prelude::*;

network! {
    Net<3, 16, 16> {
        c3: conv2d<8, 3>(padding = 1) as p3, max_pool2d<2>, c4: conv2d<16, 3>(padding = 1) as p4,
        top: conv2d<16, 3>(padding = 1), concat { [upsample(scale_factor = 2)], p4 }, add { [], [p3, conv2d<24, 1>] },
    }
}

fn main() {
    let _ = Net::new(0);
}
