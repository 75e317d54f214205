use cnn_core::prelude::*;

network! {
    Net<3, 32, 32> {
        conv2d<8, 3>(padding = "same"), upsample(scale_factor = 2, mode = "bilinear"), gelu(approximate = "fast")
    }
}

fn main() {
    let _ = Net::new(0);
}
