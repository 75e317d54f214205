use cnn_core::kernel::geometry::{Interpolation, Layout, Pad2dGeometry, Padding, PaddingMode, Upsample2dGeometry};
use cnn_core::reference::{pad2d, upsample};

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
fn pad2d_is_pytorchs() {
    for (in_size, top, bottom, left, right, mode, expected) in [
        ([2, 3], 1, 0, 2, 3, PaddingMode::ZEROS, [144.0, -206.0]),
        ([2, 3], 1, 0, 2, 3, PaddingMode::Constant(2.5), [121.5, -206.0]),
        ([4, 3], 1, 3, 2, 1, PaddingMode::Reflect, [-356.0, -412.0]),
        ([2, 3], 3, 0, 2, 5, PaddingMode::Replicate, [-270.0, 183.0]),
        ([4, 3], 4, 1, 2, 3, PaddingMode::Circular, [-295.0, -1134.0]),
    ] {
        let padding = Padding { top, bottom, left, right };
        let geometry = Pad2dGeometry { channels: 3, in_size, padding, mode, layout: Layout::DENSE };
        check_layer(
            3,
            [in_size, geometry.out_size()],
            &values(1, 2 * geometry.in_len()),
            |input| pad2d::forward(&geometry, input),
            |_, grad_output| pad2d::backward(&geometry, grad_output),
            expected,
            &geometry,
        );
    }
}
