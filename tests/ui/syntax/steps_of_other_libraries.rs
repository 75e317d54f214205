use cnn_core::prelude::*;

network! {
    A<3, 32, 32> { Sequential [conv2d<8, 3>, relu] }
    B<3, 32, 32> { features: Sequential(conv2d<8, 3>, relu) }
    C<3, 32, 32> { sequential [conv2d<8, 3>, relu], flatten }
    D<3, 32, 32> { "conv1": conv2d<8, 3>, flatten }
    E<3, 32, 32> { conv2d<8, 3>.relu() }
    F<3, 32, 32> { conv2d<8, 3>; relu }
}

fn main() {}
