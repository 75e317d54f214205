use cnn_core::prelude::*;

const EPS: f32 = 0.0;
const RATE: f32 = 30.0;
const SLOPE: &str = "0.1";

network! {
    A<3, 32, 32> { batch_norm2d(eps = EPS) }
    B<3, 32, 32> { dropout(p = RATE) }
    C<3, 32, 32> { leaky_relu(negative_slope = SLOPE) }
    D<3, 32, 32> { dropout(p = RATE / 100.0), batch_norm2d(eps = { EPS + 1e-5 }) }
    E<3, 32, 32> { dropout(p = UNKNOWN) }
}

fn main() {}
