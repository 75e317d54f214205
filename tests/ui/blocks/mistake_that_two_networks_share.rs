use cnn_core::prelude::*;

network! {
    block head<N> { flatten, linear<N>, softmax, max_pool2d<2> }
    Net<3, 12, 12> { conv2d<4, 3>, head<10> }
    Other<3, 24, 24> { conv2d<4, 3>, head<10> }
}

fn main() {
    let _ = Net::new(0);
}
