use cnn_core::prelude::*;

const SIZE: usize = 8;

network! {
    A<3, 28, 28> { flatten, linear<100>, unflatten<16, 3, 3>, conv2d<3, 1> }
    B<3, 28, 28> { unflatten<3, 28, 28> }
    C<8, 6, 6> { channel_slice<4, 9> }
    D<8, 6, 6> { channel_slice<4, 4> }
    E<8, 6, 6> { crop<3> }
    F<8, 6, 6> { channel_shuffle<3> }
    G<6, 6, 6> { pixel_shuffle<2> }
    H<6, 7, 6> { pixel_unshuffle<2> }
    I<8, 6, 6> { channel_slice<0, SIZE> }
    J<10> { crop<1> }
    K<10> { channel_slice<8, 12> }
    L<3, 4, 4> { sum(over = rows) }
    M<10> { mean(over = channels) }
    N<10> { threshold(value = 2) }
}

fn main() {
    let _ = A::new(0);
}
