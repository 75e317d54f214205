use cnn_core::prelude::*;

network! {
    A<3, 32, 32> { conv2d<8, 3>(padding = valid) }
    B<3, 32, 32> { conv2d<8, 3>(activation = relu) }
    C<3, 32, 32> { batch_norm2d(epsilon = 0.1, momentum = None) }
    D<3, 32, 32> { dropout(rate = 0.5) }
    E<3, 32, 32> { dropout(p = 1/2), upsample(scale_factor = 3/2) }
    G<3, 32, 32> { max_pool2d<2>(padding = same), conv_transpose2d<8, 3>(padding = "same"), conv2d<8, 3>(stride = [2, 2]) }
    F<3, 32, 32> { relu(inplace = true) }
}

fn main() {}
