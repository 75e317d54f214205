//! Maps that have names and are used again: graphs that are no sequences of joins, against the f64 reference, its central
//! differences, and their own predictors.

mod common;

use cnn_core::prelude::*;
use cnn_core::shape::Shape;

network! {
    block cell<C, K> { conv2d<C, K>(padding = same, bias = false), batch_norm2d, silu }
    block merge<skip, C> { up: concat { [upsample(scale_factor = 2)], skip }, cell<C, 3> }

    /// A feature pyramid with a path back, as detectors have it; its outputs are features.
    pub Pyramid<2, 16, 12> {
        stem: cell<4, 3>,
        c3: [cell<4, 3>, max_pool2d<2>] => <4, 8, 6> as p3,
        c4: [cell<6, 3>, max_pool2d<2>] => <6, 4, 3> as p4,
        c5: [conv2d<5, 3>(padding = 1), relu] as p5,
        up4: concat { [upsample(scale_factor = 1)], p4 }, n4: cell<6, 1> as n4,
        n3: merge<p3, 4> as n3,
        down4: concat { [conv2d<3, 3>(stride = 2, padding = 1)], n4 }, relu, m4: cell<3, 1> as m4,
        concat {
            small: [n3, conv2d<2, 1>, flatten, linear<3>],
            medium: [m4, conv2d<2, 1>, flatten, linear<3>],
            large: [p5, flatten, linear<2>],
        },
    }

    /// Skip connections that are nested: every node reads all before it on its level.
    pub Nested<2, 8, 8> {
        x00: conv2d<3, 3>(padding = 1), relu as x00,
        max_pool2d<2>, x10: conv2d<4, 3>(padding = 1), relu as x10,
        max_pool2d<2>, x20: conv2d<4, 3>(padding = 1), relu as x20,
        x01: [concat { x00, [x10, upsample(scale_factor = 2)] }, conv2d<3, 3>(padding = 1), relu] as x01,
        x11: [concat { x10, [x20, upsample(scale_factor = 2)] }, conv2d<4, 3>(padding = 1), relu],
        x02: [concat { x00, x01, [upsample(scale_factor = 2, mode = bilinear)] }, conv2d<3, 3>(padding = 1)],
        flatten, linear<4>,
    }

    /// A map that steps of all kinds read, first and last, in place and apart, and one that is the output and more.
    pub Again<3, 6, 5> {
        conv2d<4, 3>(padding = 1) as a, relu as b, batch_norm2d as c,
        add { a, b, [] } as d, hardswish, multiply { [], [d, adaptive_avg_pool2d<1>, sigmoid] } as e,
        f: [a, relu6, conv2d<4, 1>, add { [], c }] as f,
        concat { f, [e, max_pool2d<1>], a } as g, conv2d<4, 1>, add { [], h: [g, conv2d<4, 1>] }, relu as h,
        repeat<2> [ conv2d<4, 1> as t, add { t, [relu], h } ],
        flatten, linear<3> as out, tanh, add { [], [out, sigmoid] },
    }
}

#[test]
fn of_a_pyramid() -> Result<(), Error> {
    common::check_both::<Pyramid>(2, 1000)
}

#[test]
fn of_nested_skips() -> Result<(), Error> {
    common::check_both::<Nested>(2, 1000)
}

#[test]
fn of_maps_that_many_steps_read() -> Result<(), Error> {
    common::check_both::<Again>(2, 1000)
}

/// The largest difference of a predictor from its network, of the largest output.
fn distance<N: Network>() -> f32 {
    let net = N::new(3);
    let mut input = Batch::<N::Input>::zeros(3);
    input.values_mut().copy_from_slice(&common::values(3 * N::Input::LEN, 5));
    let (expected, mut found) = (net.forward(&input), Batch::zeros(0));
    net.freeze().predict_batch(&input, &mut found);
    let largest = expected.values().iter().fold(0.0, |largest: f32, value| largest.max(value.abs()));
    let differences = found.values().iter().zip(expected.values()).map(|(found, expected)| (found - expected).abs());
    differences.fold(0.0, f32::max) / largest
}

#[test]
fn predictors_make_what_the_networks_do() {
    assert!([distance::<Pyramid>(), distance::<Nested>(), distance::<Again>()].into_iter().all(|far| far < 1e-5));
}

#[test]
fn a_name_of_a_map_changes_no_name_of_a_weight() {
    network! {
        /// With names.
        pub Named<2, 4, 4> {
            conv2d<3, 1> as a, relu, conv2d<3, 1> as b, add { [], a: [a, conv2d<3, 1>, relu] },
            last: [add { a, [] }, conv2d<1, 1>, add { [], b: [b, conv2d<1, 1>] }],
        }
    }
    let names: Vec<_> = Named::STEPS.iter().map(|step| step.path).collect();
    assert_eq!(names, ["0", "1", "2", "a.0", "a.1", "3", "last.0", "last.1", "last.b.0", "last.2"]);
}
