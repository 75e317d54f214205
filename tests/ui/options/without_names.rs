use cnn_core::prelude::*;

network! {
    A<3, 32, 32> { dropout(0.2) }
    B<3, 32, 32> { dropout<0.5> }
    C<3, 32, 32> { upsample(2) }
    D<3, 32, 32> { batch_norm2d(3) }
    E<3, 32, 32> { softmax(1) }
    F<3, 32, 32> { max_pool2d(3, stride = 2) }
    G<3, 32, 32> { conv2d(kernel_size = 3, out_channels = 8, padding = 1) }
    H<3, 32, 32> { conv2d(3, 16, 3, padding = 1) }
}

fn main() {}
