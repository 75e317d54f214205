//! Average pooling. <https://pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html>

use super::{cell, samples};
use crate::kernel::geometry::Pool2dGeometry;

/// input `[n, ih, iw, c]` -> output `[n, oh, ow, c]`
pub fn forward(geometry: &Pool2dGeometry, input: &[f64]) -> Vec<f64> {
    let n = samples(input.len(), geometry.in_len());
    let mut output = vec![0.0; n * geometry.out_len()];
    for_each_share(geometry, n, |i, o, share| output[o] += input[i] * share);
    output
}

/// grad_output `[n, oh, ow, c]` -> grad_input `[n, ih, iw, c]`
pub fn backward(geometry: &Pool2dGeometry, grad_output: &[f64]) -> Vec<f64> {
    let n = samples(grad_output.len(), geometry.out_len());
    let mut grad_input = vec![0.0; n * geometry.in_len()];
    for_each_share(geometry, n, |i, o, share| grad_input[i] += grad_output[o] * share);
    grad_input
}

/// Calls `add` with the flat indices `(input, output)` and the share of every `output += input * share` that the pooling
/// consists of. The share is one part of the window, which is counted with its cells on the padding or without; what of it
/// hangs over the padding's end, as in `ceil_mode`, never counts.
///
/// `avg_pool2d` in <https://github.com/pytorch/pytorch/blob/main/aten/src/ATen/native/cpu/AvgPoolKernel.cpp>
fn for_each_share(geometry: &Pool2dGeometry, n: usize, mut add: impl FnMut(usize, usize, f64)) {
    let Pool2dGeometry { channels, in_size, kernel_size, stride, padding, dilation, count_include_pad, .. } = *geometry;
    assert_eq!(dilation, [1, 1], "average pooling has no dilation");
    let out_size = geometry.out_size();
    for n in 0..n {
        for oh in 0..out_size[0] {
            for ow in 0..out_size[1] {
                let rows = (0..kernel_size[0]).filter_map(|kh| cell(oh, kh, stride[0], 1, padding[0], in_size[0]));
                let columns = (0..kernel_size[1]).filter_map(|kw| cell(ow, kw, stride[1], 1, padding[1], in_size[1]));
                let count = match (geometry.divisor_override, count_include_pad) {
                    (Some(divisor), _) => divisor,
                    (None, true) => geometry.padded_taps(0, oh) * geometry.padded_taps(1, ow),
                    (None, false) => rows.clone().count() * columns.clone().count(),
                };
                for ih in rows {
                    for iw in columns.clone() {
                        for c in 0..channels {
                            let i = ((n * in_size[0] + ih) * in_size[1] + iw) * channels + c;
                            let o = ((n * out_size[0] + oh) * out_size[1] + ow) * channels + c;
                            add(i, o, 1.0 / count as f64);
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

    const PADDED: Pool2dGeometry = Pool2dGeometry {
        channels: 1,
        in_size: [2, 2],
        kernel_size: [2, 2],
        stride: [1, 1],
        padding: [1, 1],
        dilation: [1, 1],
        ceil_mode: false,
        count_include_pad: true,
        divisor_override: None,
        layout: Layout::DENSE,
    };

    #[test]
    fn the_padding_counts_as_zeros() {
        let output = forward(&PADDED, &[4.0, 8.0, 12.0, 16.0]);
        assert_eq!(output, [1.0, 3.0, 2.0, 4.0, 10.0, 6.0, 3.0, 7.0, 4.0]);
        let mut first = [0.0; 9];
        first[0] = 1.0;
        assert_eq!(backward(&PADDED, &first), [0.25, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn the_padding_does_not_count_when_told_so() {
        let geometry = Pool2dGeometry { count_include_pad: false, ..PADDED };
        let output = forward(&geometry, &[4.0, 8.0, 12.0, 16.0]);
        assert_eq!(output, [4.0, 6.0, 8.0, 8.0, 10.0, 12.0, 12.0, 14.0, 16.0]);
        let mut first = [0.0; 9];
        first[0] = 1.0;
        assert_eq!(backward(&geometry, &first), [1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn what_hangs_over_the_end_does_not_count() {
        let geometry = Pool2dGeometry {
            in_size: [1, 3],
            kernel_size: [1, 2],
            stride: [1, 2],
            padding: [0, 0],
            ceil_mode: true,
            ..PADDED
        };
        assert_eq!(forward(&geometry, &[1.0, 3.0, 8.0]), [2.0, 8.0]);
        assert_eq!(backward(&geometry, &[1.0, 1.0]), [0.5, 0.5, 1.0]);
    }

    #[test]
    fn no_window_starts_on_the_padding_behind_the_map() {
        let geometry =
            Pool2dGeometry { kernel_size: [3, 3], stride: [3, 3], ceil_mode: true, count_include_pad: true, ..PADDED };
        assert_eq!(geometry.out_size(), [1, 1]);
        assert_eq!(forward(&geometry, &[9.0, 18.0, 27.0, 36.0]), [10.0]);
    }
}
