//! The 2-d transposed convolution: each input value spreads over a window of the output.
//!
//! <https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html>

use super::{Gradients, cell, samples};
use crate::kernel::geometry::ConvTranspose2dGeometry;

/// input `[n, ih, iw, ic]`, weight `[groups, kh, kw, oc / groups, ic / groups]`, bias `[oc]` -> output `[n, oh, ow, oc]`
pub fn forward(geometry: &ConvTranspose2dGeometry, input: &[f64], weight: &[f64], bias: Option<&[f64]>) -> Vec<f64> {
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

/// input `[n, ih, iw, ic]`, weight `[groups, kh, kw, oc / groups, ic / groups]`, grad_output `[n, oh, ow, oc]` ->
/// gradients of the shapes of input, weight and bias
///
/// Each product `input * weight` of the forward pass hands its output's gradient to both factors.
pub fn backward(geometry: &ConvTranspose2dGeometry, input: &[f64], weight: &[f64], grad_output: &[f64]) -> Gradients {
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

/// Calls `product` with the flat indices `(input, weight, output)` of every `output += input * weight` that the transposed
/// convolution consists of. What falls off the output is left out.
fn for_each_product(geometry: &ConvTranspose2dGeometry, n: usize, mut product: impl FnMut(usize, usize, usize)) {
    let ConvTranspose2dGeometry {
        in_channels,
        in_size,
        out_channels,
        kernel_size,
        stride,
        padding,
        dilation,
        groups,
        ..
    } = *geometry;
    let (group_ic, group_oc) = (in_channels / groups, out_channels / groups);
    let out_size = geometry.out_size();
    for n in 0..n {
        for ih in 0..in_size[0] {
            for iw in 0..in_size[1] {
                for kh in 0..kernel_size[0] {
                    for kw in 0..kernel_size[1] {
                        // The window moves over the output.
                        let Some(oh) = cell(ih, kh, stride[0], dilation[0], padding.top, out_size[0]) else { continue };
                        let Some(ow) = cell(iw, kw, stride[1], dilation[1], padding.left, out_size[1]) else {
                            continue;
                        };
                        for g in 0..groups {
                            for oc in 0..group_oc {
                                for ic in 0..group_ic {
                                    product(
                                        ((n * in_size[0] + ih) * in_size[1] + iw) * in_channels + g * group_ic + ic,
                                        (((g * kernel_size[0] + kh) * kernel_size[1] + kw) * group_oc + oc) * group_ic
                                            + ic,
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
    use crate::kernel::geometry::Layout;
    use crate::kernel::geometry::Padding;

    const DOUBLING: ConvTranspose2dGeometry = ConvTranspose2dGeometry {
        in_channels: 1,
        in_size: [1, 3],
        out_channels: 1,
        kernel_size: [1, 2],
        stride: [1, 2],
        padding: Padding::symmetric([0, 0]),
        output_padding: [0, 0],
        dilation: [1, 1],
        groups: 1,
        layout: Layout::DENSE,
    };

    #[test]
    fn each_value_spreads_over_its_own_window() {
        let output = forward(&DOUBLING, &[1.0, 2.0, 3.0], &[10.0, 1.0], Some(&[0.5]));
        assert_eq!(output, [10.5, 1.5, 20.5, 2.5, 30.5, 3.5]);
        let gradients = backward(&DOUBLING, &[1.0, 2.0, 3.0], &[10.0, 1.0], &[1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        assert_eq!(gradients.input, [10.0, 1.0, 0.0]);
        assert_eq!(gradients.weight, [1.0, 2.0]);
        assert_eq!(gradients.bias, [2.0]);
    }

    #[test]
    fn overlapping_windows_add_up() {
        let geometry = ConvTranspose2dGeometry { kernel_size: [1, 3], ..DOUBLING };
        assert_eq!(
            forward(&geometry, &[1.0, 2.0, 3.0], &[10.0, 1.0, 5.0], None),
            [10.0, 1.0, 25.0, 2.0, 40.0, 3.0, 15.0]
        );
    }

    /// `torch.nn.functional.conv_transpose2d(x, w, dilation=(1, 2), output_padding=(0, 1))`
    #[test]
    fn less_than_the_dilation_is_gained_without_a_stride() {
        let geometry = ConvTranspose2dGeometry {
            kernel_size: [1, 3],
            stride: [1, 1],
            dilation: [1, 2],
            output_padding: [0, 1],
            ..DOUBLING
        };
        let output = forward(&geometry, &[1.0, 2.0, 3.0], &[1.0, 10.0, 100.0], None);
        assert_eq!(output, [1.0, 2.0, 13.0, 20.0, 130.0, 200.0, 300.0, 0.0]);
    }

    #[test]
    fn padding_takes_away_and_output_padding_adds_at_the_end() {
        let geometry = ConvTranspose2dGeometry {
            kernel_size: [1, 3],
            padding: Padding::symmetric([0, 1]),
            output_padding: [0, 1],
            ..DOUBLING
        };
        assert_eq!(forward(&geometry, &[1.0, 2.0, 3.0], &[10.0, 1.0, 5.0], None), [1.0, 25.0, 2.0, 40.0, 3.0, 15.0]);
        // Without padding nothing reaches what is added.
        let geometry = ConvTranspose2dGeometry { output_padding: [0, 1], ..DOUBLING };
        let output = forward(&geometry, &[1.0, 2.0, 3.0], &[10.0, 1.0], Some(&[0.5]));
        assert_eq!(output, [10.5, 1.5, 20.5, 2.5, 30.5, 3.5, 0.5]);
    }
}
