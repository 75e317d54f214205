use cnn_core::kernel::geometry::{AdaptivePool2dGeometry, Layout, Pool2dGeometry};
use cnn_core::reference::{adaptive_avg_pool2d, adaptive_max_pool2d, avg_pool2d, max_pool2d};

use super::{check_layer, values};

/// Few different values, so that there are ties.
fn coarse(len: usize) -> Vec<f64> {
    values(1, len).iter().map(|x| (x / 6.0).floor()).collect()
}

#[test]
fn max_pool2d_is_pytorchs() {
    for (n, channels, in_size, kernel_size, stride, padding, dilation, ceil_mode, expected) in [
        (2, 3, [6, 6], [2, 2], [2, 2], [0, 0], [1, 1], false, [23.0, 995.0]),
        (1, 2, [7, 8], [3, 3], [2, 2], [1, 1], [1, 1], false, [4.0, -37.0]),
        (2, 1, [9, 6], [3, 2], [1, 3], [1, 1], [2, 1], false, [4.0, 27.0]),
        (1, 2, [7, 8], [2, 3], [2, 2], [0, 1], [1, 1], true, [-4.0, 265.0]),
        (1, 2, [6, 6], [3, 3], [2, 3], [0, 1], [1, 2], true, [-9.0, 102.0]),
        (2, 1, [2, 5], [3, 2], [2, 3], [0, 1], [1, 1], true, [-8.0, 207.0]),
    ] {
        let geometry = Pool2dGeometry {
            channels,
            in_size,
            kernel_size,
            stride,
            padding,
            dilation,
            ceil_mode,
            count_include_pad: true,
            divisor_override: None,
            layout: Layout::DENSE,
        };
        check_layer(
            channels,
            [in_size, geometry.out_size()],
            &coarse(n * geometry.in_len()),
            |input| max_pool2d::forward(&geometry, input),
            |input, grad_output| max_pool2d::backward(&geometry, input, grad_output),
            expected,
            &geometry,
        );
    }
}

#[test]
fn avg_pool2d_is_pytorchs() {
    for (n, channels, in_size, kernel_size, stride, padding, ceil_mode, count_include_pad, expected) in [
        (2, 3, [6, 6], [2, 2], [2, 2], [0, 0], false, true, [154.5, 501.0]),
        (1, 2, [7, 8], [3, 3], [2, 2], [1, 1], false, true, [-13.555555555555557, -6.555555555555571]),
        (1, 2, [7, 8], [3, 4], [2, 1], [1, 2], false, false, [-10.208333333333332, -75.69444444444447]),
        (1, 2, [7, 8], [2, 3], [2, 2], [0, 1], true, true, [-1.999999999999993, 168.66666666666669]),
        (1, 2, [7, 8], [2, 3], [2, 2], [1, 1], true, false, [25.5, 106.74999999999997]),
        (1, 3, [2, 2], [3, 3], [3, 3], [1, 1], true, true, [-4.777777777777778, -7.666666666666666]),
        (2, 1, [6, 5], [4, 3], [3, 4], [2, 1], true, true, [18.416666666666664, 0.4166666666666643]),
    ] {
        let geometry = Pool2dGeometry {
            channels,
            in_size,
            kernel_size,
            stride,
            padding,
            dilation: [1, 1],
            ceil_mode,
            count_include_pad,
            divisor_override: None,
            layout: Layout::DENSE,
        };
        check_layer(
            channels,
            [in_size, geometry.out_size()],
            &values(1, n * geometry.in_len()),
            |input| avg_pool2d::forward(&geometry, input),
            |_, grad_output| avg_pool2d::backward(&geometry, grad_output),
            expected,
            &geometry,
        );
    }
}

#[test]
fn adaptive_avg_pool2d_is_pytorchs() {
    for (n, channels, in_size, out_size, expected) in [
        (2, 3, [7, 7], [1, 1], [0.469387755102041, -0.6938775510204067]),
        (1, 2, [7, 5], [3, 2], [4.777777777777777, -10.555555555555564]),
        (1, 2, [2, 3], [4, 5], [-89.0, -152.0]),
    ] {
        let geometry = AdaptivePool2dGeometry { channels, in_size, out_size, layout: Layout::DENSE };
        check_layer(
            channels,
            [in_size, out_size],
            &values(1, n * geometry.in_len()),
            |input| adaptive_avg_pool2d::forward(&geometry, input),
            |_, grad_output| adaptive_avg_pool2d::backward(&geometry, grad_output),
            expected,
            &geometry,
        );
    }
}

#[test]
fn adaptive_max_pool2d_is_pytorchs() {
    for (n, channels, in_size, out_size, expected) in [
        (2, 3, [7, 7], [1, 1], [-3.0, -134.0]),
        (1, 2, [7, 5], [3, 2], [-9.0, 42.0]),
        (1, 2, [2, 3], [4, 5], [-33.0, -103.0]),
    ] {
        let geometry = AdaptivePool2dGeometry { channels, in_size, out_size, layout: Layout::DENSE };
        check_layer(
            channels,
            [in_size, out_size],
            &coarse(n * geometry.in_len()),
            |input| adaptive_max_pool2d::forward(&geometry, input),
            |input, grad_output| adaptive_max_pool2d::backward(&geometry, input, grad_output),
            expected,
            &geometry,
        );
    }
}
