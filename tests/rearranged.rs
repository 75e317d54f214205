//! Values at other places: against PyTorch's definitions in f64, central differences, and their own predictors.

mod common;

use cnn_core::prelude::*;

network! {
    /// All of them, read once and several times.
    pub Rearranged<3, 6, 4> {
        conv2d<12, 3>(padding = 1), tanh as a,
        channel_shuffle<3>, conv2d<8, 1>, pixel_shuffle<2> => <2, 12, 8>, conv2d<2, 3>(padding = 1), pixel_unshuffle<2> as b,
        a, channel_slice<4, 12> as c, a, channel_slice<0, 8>, relu as d,
        add { b, c, d } => <8, 6, 4>, crop<(1, 2, 1, 0)> => <8, 3, 3>, transpose as e, conv2d<2, 1>, flatten,
        linear<12>, unflatten<3, 2, 2>, conv2d<4, 1>, relu, flatten as f,
        channel_slice<2, 9>, linear<3> as g, f, channel_slice<0, 1>, map(|x, g| g * x),
        concat { [], [e, adaptive_avg_pool2d<1>, flatten, channel_slice<3, 5>] },
    }
}

#[test]
fn of_maps_and_features() -> Result<(), Error> {
    common::check_both::<Rearranged>(3, 1000)
}
