use cnn_core::prelude::*;

const TWO: usize = 2;

network! {
    pub A<3, TWO, 8> { conv: conv1d<4, 3>, relu }
    pub B<3, TWO> { conv: conv1d<4, 3>, relu }
    pub C<3, TWO, 8> { bn: batch_norm1d }
    pub D<3, TWO, 8> { pool: adaptive_avg_pool1d<2> }
}

fn main() {}
