use cnn_core::prelude::*;

network! {
    Body<1, 28, 28> { conv2d<6, 5>, relu, max_pool2d<2> }
    Head<6, 14, 14> { flatten, fc: linear<10> }
}

fn main() {
    let features = Body::new(0).forward(&Batch::zeros(1));
    Head::new(0).forward(&features);
}
