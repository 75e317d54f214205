use cnn_core::prelude::*;

network! {
    Backbone<3, 8, 8> { conv1: conv2d<4, 3>, flatten, fc: linear<10> }
    Net<3, 8, 8> { _: Backbone, relu, fc: linear<2> }
    Other<3, 8, 8> { deep: [_: Backbone, _: [head: linear<2>]], head: linear<2> }
    Third<3, 8, 8> { _: conv2d<3, 1>, relu, _: conv2d<3, 1> }
}

fn main() {
    let _ = Net::new(0);
}
