use cnn_core::prelude::*;

const fn features(side: usize) -> usize {
    side / 4
}

network! {
    Net<3, S, S> for [8, 16] { conv2d<4, 3>(padding = 1), relu, adaptive_avg_pool2d<1>, flatten, fc: linear<{ features(S) }> }
}

fn main() {
    let _: Net<16> = Net::<8>::new(0).at();
}
