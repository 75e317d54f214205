use cnn_core::prelude::*;

network! {
    /// One value has no deviation.
    pub Net<6, 4, 4> { adaptive_avg_pool2d<1>, norm: instance_norm2d }
}

fn main() {
    let _ = Net::new(0);
}
