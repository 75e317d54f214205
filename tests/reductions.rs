//! Reductions in networks: against the f64 reference, its central differences, and their own predictors.

mod common;

use cnn_core::prelude::*;

network! {
    /// All kinds of them, and what meets them again.
    pub Reduced<3, 5, 4> {
        conv2d<6, 3>(padding = 1), tanh as a,
        a, mean(over = space), conv2d<6, 1>, sigmoid as gate,
        a, max(over = channels) as highest, a, mean(over = channels) as middle,
        concat { highest, middle }, conv2d<1, 3>(padding = 1), sigmoid as mask,
        a, map(|x, gate, mask| x * gate * mask) as b,
        b, norm(over = channels) as length, b, map(|x, length| x / (length + 0.1)) as unit,
        unit, logsumexp(over = space) as e, b, sum(over = space), map(|x, e| x * e), flatten as f,
        unit, norm as n, unit, logsumexp as l, unit, max as m, unit, mean as o, unit, sum as s,
        f, map(|x, n, l, m, o, s| (x * n + l * m - o * s) / 32), linear<3>, sum as t, map(|x| tanh(0.1 * x)), add { [], [t, map(|x| sigmoid(x))] },
    }
}

#[test]
fn of_maps_and_features() -> Result<(), Error> {
    common::check_both::<Reduced>(3, 1000)
}
