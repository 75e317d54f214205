//! The 2-d convolution, which is a cross-correlation as everywhere in deep learning.
//!
//! <https://pytorch.org/docs/stable/generated/torch.nn.Conv2d.html>

use super::{Gradients, cell, samples};
use crate::kernel::geometry::Conv2dGeometry;

/// input `[n, ih, iw, ic]`, weight `[groups, kh, kw, ic / groups, oc / groups]`, bias `[oc]` -> output `[n, oh, ow, oc]`
pub fn forward(geometry: &Conv2dGeometry, input: &[f64], weight: &[f64], bias: Option<&[f64]>) -> Vec<f64> {
    assert_eq!(weight.len(), geometry.weight_len());
    let n = samples(input.len(), geometry.in_len());
    let mut output = vec![0.0; n * geometry.out_len()];
    if let Some(bias) = bias {
        assert_eq!(bias.len(), geometry.out_channels);
        for pixel in output.chunks_exact_mut(geometry.out_channels) {
            pixel.copy_from_slice(bias);
        }
    }
    for_each_product(geometry, n, |i, w, o| output[o] += input[i] * weight[w]);
    output
}

/// input `[n, ih, iw, ic]`, weight `[groups, kh, kw, ic / groups, oc / groups]`, grad_output `[n, oh, ow, oc]` ->
/// gradients of the shapes of input, weight and bias
///
/// Each product `input * weight` of the forward pass hands its output's gradient to both factors.
pub fn backward(geometry: &Conv2dGeometry, input: &[f64], weight: &[f64], grad_output: &[f64]) -> Gradients {
    assert_eq!(weight.len(), geometry.weight_len());
    let n = samples(input.len(), geometry.in_len());
    assert_eq!(grad_output.len(), n * geometry.out_len());
    let mut grad_input = vec![0.0; input.len()];
    let mut grad_weight = vec![0.0; weight.len()];
    let mut grad_bias = vec![0.0; geometry.out_channels];
    for pixel in grad_output.chunks_exact(geometry.out_channels) {
        for (sum, grad) in grad_bias.iter_mut().zip(pixel) {
            *sum += grad;
        }
    }
    for_each_product(geometry, n, |i, w, o| {
        grad_input[i] += weight[w] * grad_output[o];
        grad_weight[w] += input[i] * grad_output[o];
    });
    Gradients { input: grad_input, weight: grad_weight, bias: grad_bias }
}

/// The convolution itself: calls `product` with the flat indices `(input, weight, output)` of every
/// `output += input * weight` that it consists of. Taps on the padding are left out, since they add zero.
fn for_each_product(geometry: &Conv2dGeometry, n: usize, mut product: impl FnMut(usize, usize, usize)) {
    let Conv2dGeometry { in_channels, in_size, out_channels, kernel_size, stride, padding, dilation, groups, .. } =
        *geometry;
    let (group_ic, group_oc) = (in_channels / groups, out_channels / groups);
    let out_size = geometry.out_size();
    for n in 0..n {
        for oh in 0..out_size[0] {
            for ow in 0..out_size[1] {
                for kh in 0..kernel_size[0] {
                    for kw in 0..kernel_size[1] {
                        let Some(ih) = cell(oh, kh, stride[0], dilation[0], padding.top, in_size[0]) else { continue };
                        let Some(iw) = cell(ow, kw, stride[1], dilation[1], padding.left, in_size[1]) else { continue };
                        for g in 0..groups {
                            for ic in 0..group_ic {
                                for oc in 0..group_oc {
                                    product(
                                        ((n * in_size[0] + ih) * in_size[1] + iw) * in_channels + g * group_ic + ic,
                                        (((g * kernel_size[0] + kh) * kernel_size[1] + kw) * group_ic + ic) * group_oc
                                            + oc,
                                        ((n * out_size[0] + oh) * out_size[1] + ow) * out_channels + g * group_oc + oc,
                                    );
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::geometry::Conv2dAlgorithm;
    use crate::kernel::geometry::Layout;
    use crate::kernel::geometry::Padding;

    /// Ones everywhere: a convolution then counts the taps that lie on the map.
    const WORKED_EXAMPLE: Conv2dGeometry = Conv2dGeometry {
        in_channels: 1,
        in_size: [4, 4],
        out_channels: 1,
        kernel_size: [3, 3],
        stride: [1, 1],
        padding: Padding::symmetric([1, 1]),
        unread: [0, 0],
        algorithm: Conv2dAlgorithm::Auto,
        dilation: [1, 1],
        groups: 1,
        layout: Layout::DENSE,
    };

    #[test]
    fn a_padded_3x3_filter_keeps_a_4x4_map() {
        assert_eq!(WORKED_EXAMPLE.out_size(), [4, 4]);
        let output = forward(&WORKED_EXAMPLE, &[1.0; 16], &[1.0; 9], None);
        #[rustfmt::skip]
        assert_eq!(output, [
            4.0, 6.0, 6.0, 4.0,
            6.0, 9.0, 9.0, 6.0,
            6.0, 9.0, 9.0, 6.0,
            4.0, 6.0, 6.0, 4.0,
        ]);
    }

    #[test]
    fn ten_3x3x3_filters_are_270_weights() {
        let geometry = Conv2dGeometry { in_channels: 3, out_channels: 10, ..WORKED_EXAMPLE };
        assert_eq!(geometry.weight_len(), 270);
        assert_eq!(forward(&geometry, &[1.0; 48], &[1.0; 270], Some(&[0.5; 10]))[0], 12.5);
    }

    #[test]
    fn the_filter_is_not_flipped() {
        let geometry = Conv2dGeometry { kernel_size: [1, 2], padding: Padding::symmetric([0, 0]), ..WORKED_EXAMPLE };
        let geometry = Conv2dGeometry { in_size: [1, 3], ..geometry };
        assert_eq!(forward(&geometry, &[1.0, 2.0, 3.0], &[10.0, 1.0], None), [12.0, 23.0]);
    }

    #[test]
    fn stride_dilation_and_one_sided_padding_pick_their_cells() {
        let geometry = Conv2dGeometry {
            in_size: [1, 6],
            kernel_size: [1, 2],
            stride: [1, 2],
            padding: Padding { top: 0, bottom: 0, left: 1, right: 0 },
            dilation: [1, 3],
            ..WORKED_EXAMPLE
        };
        // The windows cover (pad, 3), (2, 5) of the cells 1..=6 counted from one.
        assert_eq!(forward(&geometry, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[1.0, 10.0], None), [30.0, 52.0]);
    }

    #[test]
    fn groups_do_not_see_each_other() {
        let geometry = Conv2dGeometry {
            in_channels: 4,
            in_size: [1, 1],
            out_channels: 2,
            kernel_size: [1, 1],
            padding: Padding::symmetric([0, 0]),
            groups: 2,
            ..WORKED_EXAMPLE
        };
        let (input, weight) = ([1.0, 2.0, 3.0, 4.0], [10.0, 1.0, 10.0, 1.0]);
        assert_eq!(forward(&geometry, &input, &weight, Some(&[100.0, 200.0])), [112.0, 234.0]);
        let gradients = backward(&geometry, &input, &weight, &[1.0, 2.0]);
        assert_eq!(gradients.input, [10.0, 1.0, 20.0, 2.0]);
        assert_eq!(gradients.weight, [1.0, 2.0, 6.0, 8.0]);
        assert_eq!(gradients.bias, [1.0, 2.0]);
    }
}
