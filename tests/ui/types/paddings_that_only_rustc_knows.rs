use cnn_core::prelude::*;

const THREE: usize = 3;

network! {
    pub A<2, THREE, 8> { pad: reflection_pad2d<3> }
    pub B<2, 8, 3> { pad: circular_pad2d(right = { THREE + 1 }) }
    pub C<2, 8, 3> { conv: conv2d<2, 7>(padding = THREE, padding_mode = reflect) }
}

fn main() {}
