use cnn_core::prelude::*;

const NONE: f64 = 0.0;
const BELOW: f64 = -0.0625;
const ABOVE: f32 = 1.5;
const NO_NUMBER: f64 = f64::NAN;

network! {
    /// Every option that is a number with a fraction.
    pub Options<4, 8, 8> {
        norm: batch_norm2d(eps = NONE, momentum = { BELOW / 1e6 }),
        response: local_response_norm<2>(alpha = BELOW, beta = NO_NUMBER, k = { 1e3 * BELOW }),
        slope: leaky_relu(negative_slope = { 1.0 / NONE }),
        drop: dropout(p = ABOVE),
        drop2d: dropout2d(p = BELOW),
        up: upsample(scale_factor = (2, BELOW)),
    }
    /// A part of a cell.
    pub Nothing<4, 8, 8> { up: upsample(scale_factor = { -BELOW }) }
}

fn main() {
    let _: Batch<Chw<4, 16, 8>> = Options::new(0).forward(&Batch::zeros(1));
    let _ = Nothing::new(0);
}
