use cnn_core::prelude::*;

const MOST: usize = usize::MAX;
const MUCH: usize = 1 << 40;
const LITTLE: usize = 1;

network! {
    /// A number that is more than memory can have.
    pub Number<1, 8, 8> { conv: conv2d<MOST, 3> }
    /// A map.
    pub Map<LITTLE, 8, 8> { up: upsample(size = (MUCH, MUCH)) }
    /// A map, by a factor.
    pub Factor<LITTLE, 8, 8> { up: upsample(scale_factor = (MUCH, MUCH)) }
    /// A map, by its border.
    pub Border<1, 8, 8> { pad: zero_pad2d<MUCH>, pool: adaptive_avg_pool2d<1> }
    /// What a network takes.
    pub Input<MUCH, MUCH, 1> { relu }
    /// Weights.
    pub Weights<LITTLE, 8, 8> { conv: conv2d<MUCH, MUCH>(padding = MUCH) }
    /// Weights of features.
    pub Features<MUCH> { fc: linear<MUCH> }
    /// Multiply-adds.
    pub Products<LITTLE, MUCH, 1024> { conv: conv2d<1024, 3>(padding = 1), back: conv2d<1, { LITTLE * 1024 }> }
    /// A window of taps that are far apart.
    pub Taps<LITTLE, 8, 8> { conv: conv2d<1, MUCH>(dilation = MUCH) }
    /// Maps together.
    pub Together<{ MUCH << 20 }, LITTLE, LITTLE> { tanh, silu, tanh, silu, tanh }
    /// What a layer works in.
    pub Work<LITTLE, 1, { MUCH << 20 }> { conv: conv2d<1, (1, 3)>(padding = (0, 1)) }
}

fn main() {
    let _ = (Number::new(0), Map::new(0), Factor::new(0), Border::new(0), Input::new(0), Weights::new(0));
    let _ = (Features::new(0), Products::new(0), Taps::new(0), Together::new(0), Work::new(0));
}
