use cnn_core::prelude::*;

network! {
    Round<3, H, W> for (12, 12) { conv2d<4, 1> }
    Nothing<3, H, W> for { conv2d<4, 1> }
    Commas<3, H, W> for [(12 12), (24, 24)] { conv2d<4, 1> }
    Steps<3, H, W> for [(12, 12)]
}

fn main() {}
