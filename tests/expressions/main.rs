//! Expressions: against the f64 reference, its central differences, and their own predictors.

#[path = "../common/mod.rs"]
mod common;
mod functions;
#[rustfmt::skip]
mod pytorch;

use cnn_core::layer::Operation;
use cnn_core::prelude::*;

const ALPHA: f32 = 0.25;

network! {
    block swish<BETA> { map(|x| x * sigmoid(BETA * x)) }

    /// Expressions of one map, behind and before layers of all sorts.
    pub One<2, 6, 5> {
        conv2d<4, 3>(padding = 1), map(|x| x * sigmoid(x)),
        conv2d<4, 3>(padding = 1), batch_norm2d, map(|x| if x < 0 { ALPHA * exp_m1(x) } else { x }),
        swish<1.5>, swish<2>, max_pool2d<2>, map(|x| exp(-x * x / 2)), map(|x| tanh(x)),
        concat { [map(|x| 2 * x)], [map(|y| y.abs().sqrt())], [conv2d<1, 1>, map(|x| { let u = exp(-abs(x)); max(x, 0) + ln_1p(u) })] },
        flatten, map(|x| x + 0.1 * pow(x, 3)), linear<3>, map(|x| -x),
    }

    /// Of several maps that meet in every way.
    pub Several<image: <3, 4, 5>, gate: <3, 1, 1>, mask: <1, 4, 5>, one: <1>, other: <3, 4, 5>> {
        image, conv2d<3, 3>(padding = 1) as a,
        gate, conv2d<3, 1> as g, mask, conv2d<1, 1> as m, one, linear<1> as s, other, conv2d<3, 1> as o,
        a, map(|a, o| max(a, 0) - a * o + ln_1p(exp(-abs(a)))) as first,
        a, map(|x, g, m, s, o| (x * g + m) * (1 + s * s) / (2 + tanh(o))) as second,
        m, map(|m, g| m * sigmoid(g)) as third,
        s, map(|s, second| if second > s { second - s } else { 0.5 * (s - second) }) as fourth,
        o, map(|x, a, g| x * a + a * g) as fifth,
        concat { first, second, third, [fourth, relu], fifth, o },
        conv2d<2, 1>, map(|x| min(x, 1) + 0.01 * x), map(|x| x * clamp(x + 3, 2.5, 3.5) / 6),
        flatten, linear<4>,
    }

    /// Features meet features.
    pub Features<a: <6>, b: <1>> {
        a, linear<6> as x, b, linear<1> as y, x, map(|x, y| x * exp(0.1 * y) - softplus(y) + erf(x)), linear<2>,
    }

    /// Maps that lie in one with others, forward and backward.
    pub Beside<3, 4, 4> {
        conv2d<2, 1> as a, conv2d<3, 1> as b, conv2d<2, 1> as c, a, map(|x, a, c| x * a + tanh(c)) as d,
        d, map(|d, a, c| sigmoid(d) * a - c) as e,
        concat { a, b, c, d, e }, conv2d<2, 1> as f, f, map(|f, d, e| f * d + e) as g, concat { g, f, [g, relu] },
        flatten, linear<3>,
    }

    /// The same map twice, and the network's input.
    pub Twice<3, 4, 4> {
        conv2d<3, 1> as a, a as b, map(|x, a, b| x * a + sigmoid(b)), map(|x| x / (1 + abs(x))),
        map(|x, a| x * a) as c, add { [map(|x| -x), map(|y| y + 1), map(|z, a, c| z * a + c)], [map(|x| x - 1)] },
    }
}

#[test]
fn of_one_map() -> Result<(), Error> {
    common::check_both::<One>(2, 1000)
}

#[test]
fn of_several_maps() -> Result<(), Error> {
    common::check_both::<Several>(3, 1000)
}

#[test]
fn of_features() -> Result<(), Error> {
    common::check_both::<Features>(3, 1000)
}

#[test]
fn of_maps_that_lie_in_one() -> Result<(), Error> {
    common::check_both::<Beside>(2, 1000)
}

#[test]
fn of_one_map_several_times() -> Result<(), Error> {
    common::check_both::<Twice>(2, 1000)
}

#[test]
fn an_expression_is_data_too() {
    let texts: Vec<_> = One::STEPS
        .iter()
        .filter_map(|step| match step.operation {
            Operation::Map(written) => Some(written.text),
            _ => None,
        })
        .collect();
    let expected = [
        "|x| x * sigmoid(x)",
        // A chain is one loop.
        "|x| if x < 0 { ALPHA * exp_m1(x) } else { x }; then |x| x * sigmoid(BETA * x); then |x| x * sigmoid(BETA * x)",
        "|x| exp(-x * x / 2); then |x| tanh(x)",
        "|x| 2 * x",
        "|y| sqrt(abs(y))",
        "|x| let u = exp(-abs(x)); max(x, 0) + ln_1p(u)",
        "|x| x + 0.1 * pow(x, 3)",
        "|x| -x",
    ];
    assert_eq!(texts, expected);
}
