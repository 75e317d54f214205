use cnn_core::prelude::*;

network! {
    A<3, 8, 8> { conv: conv1d<4, 3>, relu }
    B<3, 8> { conv: conv1d<4, 9>, relu }
    C<3, 8> { pool: max_pool1d<3>(stride = 2, strict), relu }
    D<12> { pool: adaptive_avg_pool1d<3> }
    E<3, 8> { conv1d<4, (1, 3)>(padding = (1, 0, 1)), relu }
    F<3, 8> { flatten, conv1d<4, 3> }
    G<3, 8> { conv: conv1d<4, 3> => <4, 8> }
    H<3, 8> { conv: conv1d<4, 3> => <4, 6, 1> }
    I<3, 8, 8> { bn: batch_norm1d }
    J<3, 8, 8> { conv: conv2d<4, 3> => <4, 36> }
    K<3, 8> { conv1d<3, 16, 3>, conv1d(3, 16, 3) }
    L<3, 8> { conv2d<6, 5> }
    M<3, 8> { avg_pool1d<2>(divisor_override = 3), conv1d<4, 3>(algorithm = direct) }
    N<3, 8> { up: conv_transpose1d<4, 3>(output_padding = 1), max_pool1d<3>(padding = same) }
}

fn main() {}
