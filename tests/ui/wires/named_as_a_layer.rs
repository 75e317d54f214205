use cnn_core::prelude::*;

network! {
    block cell<C> { conv2d<C, 3>, relu }

    Net<3, 16, 16> { conv2d<8, 3> as relu, conv2d<8, 3>, flatten, linear<10> }

    Other<3, 16, 16> { conv2d<8, 3> as cell, conv2d<8, 3>, flatten, linear<10> }
}

fn main() {
    let (_, _) = (Net::new(0), Other::new(0));
}
