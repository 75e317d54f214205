use cnn_core::kernel::geometry::{Conv2dAlgorithm, Conv2dGeometry, ConvTranspose2dGeometry, Layout, Padding};
use cnn_core::reference::flatten::{chw_to_hwc, hwc_to_chw};
use cnn_core::reference::{conv_transpose2d, conv2d};

use super::{assert_checksums, checksum, values};

/// PyTorch's `[out, in / groups, kh, kw]` from `[groups, kh, kw, in / groups, out / groups]`, or, `back`, the reverse.
fn permute_weight(geometry: &Conv2dGeometry, weight: &[f64], back: bool) -> Vec<f64> {
    let Conv2dGeometry { kernel_size: [kh, kw], groups, .. } = *geometry;
    let (ic, oc) = (geometry.in_channels / groups, geometry.out_channels / groups);
    let mut permuted = vec![0.0; weight.len()];
    for g in 0..groups {
        for o in 0..oc {
            for i in 0..ic {
                for k in 0..kh * kw {
                    let theirs = ((g * oc + o) * ic + i) * kh * kw + k;
                    let ours = ((g * kh * kw + k) * ic + i) * oc + o;
                    let (from, to) = if back { (theirs, ours) } else { (ours, theirs) };
                    permuted[to] = weight[from];
                }
            }
        }
    }
    permuted
}

const fn symmetric(padding: [usize; 2]) -> Padding {
    Padding::symmetric(padding)
}

const fn sides([top, bottom, left, right]: [usize; 4]) -> Padding {
    Padding { top, bottom, left, right }
}

#[test]
fn conv2d_is_pytorchs() {
    #[rustfmt::skip]
    let cases = [
        (2, 3, [6, 5], 4, [3, 3], [1, 1], symmetric([1, 1]), [1, 1], 1, [7638.0, -18758.0, 38005.0, 71.0]),
        (1, 2, [7, 9], 3, [2, 3], [2, 1], symmetric([0, 2]), [2, 3], 1, [2818.0, 5793.0, -322.0, -37.0]),
        (2, 4, [5, 5], 6, [3, 1], [1, 2], symmetric([1, 0]), [1, 1], 2, [2595.0, -433.0, -7536.0, -111.0]),
        (1, 4, [8, 7], 4, [5, 5], [3, 2], symmetric([2, 2]), [1, 1], 4, [3437.0, 5161.0, -6609.0, 173.0]),
        (3, 1, [4, 4], 1, [3, 3], [1, 1], symmetric([1, 1]), [1, 1], 1, [488.0, 399.0, 13643.0, -54.0]),
        (1, 6, [5, 6], 4, [3, 2], [2, 1], sides([0, 2, 1, 0]), [1, 2], 2, [9691.0, -7191.0, -21474.0, 192.0]),
        (1, 3, [7, 6], 6, [3, 4], [1, 2], sides([1, 0, 0, 3]), [1, 1], 3, [3090.0, 3940.0, -14385.0, -33.0]),
    ];
    for case in cases {
        let (n, in_channels, in_size, out_channels, kernel_size, stride, padding, dilation, groups, expected) = case;
        let geometry = Conv2dGeometry {
            in_channels,
            in_size,
            out_channels,
            kernel_size,
            stride,
            padding,
            unread: [0, 0],
            algorithm: Conv2dAlgorithm::Auto,
            dilation,
            groups,
            layout: Layout::DENSE,
        };
        let input = chw_to_hwc(in_channels, in_size, &values(1, n * geometry.in_len()));
        let weight = permute_weight(&geometry, &values(2, geometry.weight_len()), true);
        let output = conv2d::forward(&geometry, &input, &weight, Some(&values(3, out_channels)));
        let grad_output = chw_to_hwc(out_channels, geometry.out_size(), &values(9, output.len()));
        let gradients = conv2d::backward(&geometry, &input, &weight, &grad_output);
        let found = [
            checksum(&hwc_to_chw(out_channels, geometry.out_size(), &output)),
            checksum(&hwc_to_chw(in_channels, in_size, &gradients.input)),
            checksum(&permute_weight(&geometry, &gradients.weight, false)),
            checksum(&gradients.bias),
        ];
        assert_checksums(found, expected, &geometry);
    }
}

/// PyTorch's weight is `[in, out / groups, kh, kw]`: that of the convolution backwards, for which out and in change places.
#[test]
fn conv_transpose2d_is_pytorchs() {
    #[rustfmt::skip]
    let cases = [
        (2, 3, [3, 4], 2, [2, 2], [2, 2], [0, 0], [0, 0], [1, 1], 1, [-2025.0, 2721.0, -6015.0, 27.0]),
        (1, 2, [4, 3], 3, [3, 4], [2, 3], [1, 0], [1, 2], [1, 1], 1, [-238.0, 15450.0, -804.0, -99.0]),
        (2, 4, [3, 3], 6, [3, 2], [1, 2], [2, 1], [0, 1], [2, 3], 2, [-10125.0, 2451.0, -1379.0, -191.0]),
        (1, 3, [2, 5], 3, [2, 3], [1, 1], [0, 1], [1, 0], [2, 1], 3, [-605.0, -1602.0, -3629.0, 10.0]),
        (2, 3, [3, 4], 2, [2, 3], [1, 1], [0, 0], [1, 2], [2, 3], 1, [14464.0, 5191.0, 5261.0, -52.0]),
        (1, 4, [2, 3], 6, [1, 2], [2, 1], [0, 1], [4, 3], [5, 4], 2, [-1864.0, 3492.0, -1549.0, -255.0]),
        (2, 3, [3, 3], 3, [1, 1], [2, 2], [0, 0], [2, 3], [3, 4], 3, [563.0, 1175.0, 3792.0, -48.0]),
    ];
    for case in cases {
        let (
            n,
            in_channels,
            in_size,
            out_channels,
            kernel_size,
            stride,
            padding,
            output_padding,
            dilation,
            groups,
            expected,
        ) = case;
        let geometry = ConvTranspose2dGeometry {
            in_channels,
            in_size,
            out_channels,
            kernel_size,
            stride,
            padding: symmetric(padding),
            output_padding,
            dilation,
            groups,
            layout: Layout::DENSE,
        };
        let backwards = Conv2dGeometry {
            in_channels: out_channels,
            in_size: geometry.out_size(),
            out_channels: in_channels,
            kernel_size,
            stride,
            padding: symmetric(padding),
            unread: [0, 0],
            algorithm: Conv2dAlgorithm::Auto,
            dilation,
            groups,
            layout: Layout::DENSE,
        };
        let input = chw_to_hwc(in_channels, in_size, &values(1, n * geometry.in_len()));
        let weight = permute_weight(&backwards, &values(2, geometry.weight_len()), true);
        let output = conv_transpose2d::forward(&geometry, &input, &weight, Some(&values(3, out_channels)));
        let grad_output = chw_to_hwc(out_channels, geometry.out_size(), &values(9, output.len()));
        let gradients = conv_transpose2d::backward(&geometry, &input, &weight, &grad_output);
        let found = [
            checksum(&hwc_to_chw(out_channels, geometry.out_size(), &output)),
            checksum(&hwc_to_chw(in_channels, in_size, &gradients.input)),
            checksum(&permute_weight(&backwards, &gradients.weight, false)),
            checksum(&gradients.bias),
        ];
        assert_checksums(found, expected, &geometry);
    }
}
