//! Adaptive average pooling: an average over windows that cut a map of any size into a map of the wanted size.
//!
//! <https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html>

use super::samples;
use crate::kernel::geometry::AdaptivePool2dGeometry;

/// input `[n, ih, iw, c]` -> output `[n, oh, ow, c]`
pub fn forward(geometry: &AdaptivePool2dGeometry, input: &[f64]) -> Vec<f64> {
    let n = samples(input.len(), geometry.in_len());
    let mut output = vec![0.0; n * geometry.out_len()];
    for_each_share(geometry, n, |i, o, share| output[o] += input[i] * share);
    output
}

/// grad_output `[n, oh, ow, c]` -> grad_input `[n, ih, iw, c]`
pub fn backward(geometry: &AdaptivePool2dGeometry, grad_output: &[f64]) -> Vec<f64> {
    let n = samples(grad_output.len(), geometry.out_len());
    let mut grad_input = vec![0.0; n * geometry.in_len()];
    for_each_share(geometry, n, |i, o, share| grad_input[i] += grad_output[o] * share);
    grad_input
}

/// Calls `add` with the flat indices `(input, output)` and the share of every `output += input * share` that the pooling
/// consists of.
fn for_each_share(geometry: &AdaptivePool2dGeometry, n: usize, mut add: impl FnMut(usize, usize, f64)) {
    let AdaptivePool2dGeometry { channels, in_size, out_size, .. } = *geometry;
    for n in 0..n {
        for oh in 0..out_size[0] {
            for ow in 0..out_size[1] {
                let (rows, columns) = (geometry.cells(0, oh), geometry.cells(1, ow));
                let count = rows.len() * columns.len();
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

    #[test]
    fn one_cell_is_the_mean_of_each_channel() {
        let geometry = AdaptivePool2dGeometry { channels: 2, in_size: [1, 2], out_size: [1, 1], layout: Layout::DENSE };
        assert_eq!(forward(&geometry, &[1.0, 10.0, 3.0, 30.0]), [2.0, 20.0]);
        assert_eq!(backward(&geometry, &[2.0, 4.0]), [1.0, 2.0, 1.0, 2.0]);
    }

    #[test]
    fn windows_overlap_where_the_sizes_do_not_divide() {
        let geometry = AdaptivePool2dGeometry { channels: 1, in_size: [1, 5], out_size: [1, 2], layout: Layout::DENSE };
        assert_eq!(forward(&geometry, &[3.0, 6.0, 9.0, 12.0, 15.0]), [6.0, 12.0]);
        assert_eq!(backward(&geometry, &[3.0, 30.0]), [1.0, 1.0, 11.0, 10.0, 10.0]);
    }

    #[test]
    fn a_larger_output_repeats_cells() {
        let geometry = AdaptivePool2dGeometry { channels: 1, in_size: [1, 2], out_size: [1, 4], layout: Layout::DENSE };
        assert_eq!(forward(&geometry, &[1.0, 2.0]), [1.0, 1.0, 2.0, 2.0]);
    }
}
