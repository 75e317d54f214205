use cnn_core::kernel::geometry::{Interpolation, Layout, Padding, Upsample2dGeometry, ZeroPad2dGeometry};
use cnn_core::reference::{upsample, zero_pad2d};

use super::{check_layer, values};

#[test]
fn upsample_is_pytorchs() {
    for (n, channels, in_size, out_size, interpolation, expected) in [
        (1, 2, [3, 4], [6, 8], Interpolation::Nearest, [228.0, -80.0]),
        (2, 1, [5, 3], [3, 7], Interpolation::Nearest, [-80.0, 95.0]),
        (1, 2, [3, 4], [6, 8], Interpolation::Bilinear { align_corners: false }, [198.3125, -138.5]),
        (
            2,
            1,
            [5, 3],
            [3, 7],
            Interpolation::Bilinear { align_corners: false },
            [88.47619047619047, 112.09523809523805],
        ),
        (
            1,
            2,
            [3, 4],
            [6, 8],
            Interpolation::Bilinear { align_corners: true },
            [257.40000000000003, -136.62857142857146],
        ),
        (2, 1, [5, 3], [1, 7], Interpolation::Bilinear { align_corners: true }, [-19.33333333333335, -15.0]),
    ] {
        let geometry = Upsample2dGeometry {
            channels,
            in_size,
            out_size,
            scale_factor: None,
            interpolation,
            layout: Layout::DENSE,
        };
        check_layer(
            channels,
            [in_size, out_size],
            &values(1, n * geometry.in_len()),
            |input| upsample::forward(&geometry, input),
            |_, grad_output| upsample::backward(&geometry, grad_output),
            expected,
            &geometry,
        );
    }
}

#[test]
fn zero_pad2d_is_pytorchs() {
    let padding = Padding { top: 1, bottom: 0, left: 2, right: 3 };
    let geometry = ZeroPad2dGeometry { channels: 3, in_size: [2, 3], padding, layout: Layout::DENSE };
    check_layer(
        3,
        [[2, 3], geometry.out_size()],
        &values(1, 2 * geometry.in_len()),
        |input| zero_pad2d::forward(&geometry, input),
        |_, grad_output| zero_pad2d::backward(&geometry, grad_output),
        [144.0, -206.0],
        &geometry,
    );
}
