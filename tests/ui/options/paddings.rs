use cnn_core::prelude::*;

network! {
    A<3, 4, 6> { pad: reflection_pad2d<4>, relu }
    B<3, 4, 6> { pad: reflection_pad2d(left = 1, right = 6), relu }
    C<3, 4, 6> { pad: circular_pad2d<(1, 5)>, circular_pad2d<(1, 7, 0, 0)> }
    D<3, 4, 6> { conv: conv2d<8, 9>(padding = 4, padding_mode = reflect), relu }
    E<3, 4, 6> { conv: conv2d<8, 9>(padding = 1, padding_mode = reflect), relu }
    F<3, 4, 6> { conv2d<8, 3>(padding = 1, padding_mode = "reflect"), conv2d<8, 3>(padding_mode = mirror) }
    G<3, 4, 6> { constant_pad2d<1>, constant_pad2d(value = 1) }
    H<3, 4, 6> { flatten, circular_pad2d<1> }
    I<3, 6> { conv: conv1d<8, 3>(padding = (0, 7), padding_mode = circular), relu }
    J<3, 4, 6> { constant_pad2d<(1, 0, 1)>(value = 1), constant_pad2d(1, 2, 3, 4), conv_transpose2d<3, 3>(padding_mode = zeros) }
    K<3, 4, 6> { ConstantPad2d((1, 2, 3, 4), 3.5), ReflectionPad2d(2), nn::ReplicationPad2d((1, 1, 0, 2)), CircularPad2d }
    L<3, 4, 6> { Conv2d(3, 8, 3, padding=1, padding_mode="circular"), reflect_pad2d<1> }
}

fn main() {}
