//! Adaptive max pooling: the largest of each window that a map of any size is cut into for a map of the wanted size.
//!
//! <https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool2d.html>

use super::{beats, samples};
use crate::kernel::geometry::AdaptivePool2dGeometry;

/// input `[n, ih, iw, c]` -> output `[n, oh, ow, c]`; a NaN wins over every number
pub fn forward(geometry: &AdaptivePool2dGeometry, input: &[f64]) -> Vec<f64> {
    winners(geometry, input).into_iter().map(|i| input[i]).collect()
}

/// input `[n, ih, iw, c]`, grad_output `[n, oh, ow, c]` -> grad_input `[n, ih, iw, c]`
///
/// The whole gradient goes to the cell that won, of equal ones to the first in the window, row by row.
pub fn backward(geometry: &AdaptivePool2dGeometry, input: &[f64], grad_output: &[f64]) -> Vec<f64> {
    let winners = winners(geometry, input);
    assert_eq!(grad_output.len(), winners.len());
    let mut grad_input = vec![0.0; input.len()];
    for (i, grad) in winners.into_iter().zip(grad_output) {
        grad_input[i] += grad;
    }
    grad_input
}

/// For each output the flat index of the input that it is.
fn winners(geometry: &AdaptivePool2dGeometry, input: &[f64]) -> Vec<usize> {
    let AdaptivePool2dGeometry { channels, in_size, out_size, .. } = *geometry;
    let n = samples(input.len(), geometry.in_len());
    let mut winners = Vec::with_capacity(n * geometry.out_len());
    for n in 0..n {
        for oh in 0..out_size[0] {
            for ow in 0..out_size[1] {
                for c in 0..channels {
                    let (rows, columns) = (geometry.cells(0, oh), geometry.cells(1, ow));
                    let place = |ih: usize, iw: usize| ((n * in_size[0] + ih) * in_size[1] + iw) * channels + c;
                    let mut winner = place(rows.start, columns.start);
                    for ih in rows {
                        for iw in columns.clone() {
                            if beats(input[place(ih, iw)], input[winner]) {
                                winner = place(ih, iw);
                            }
                        }
                    }
                    winners.push(winner);
                }
            }
        }
    }
    winners
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::geometry::Layout;

    #[test]
    fn one_cell_is_the_maximum_of_each_channel() {
        let geometry = AdaptivePool2dGeometry { channels: 2, in_size: [1, 2], out_size: [1, 1], layout: Layout::DENSE };
        assert_eq!(forward(&geometry, &[1.0, -10.0, 3.0, -30.0]), [3.0, -10.0]);
        assert_eq!(backward(&geometry, &[1.0, -10.0, 3.0, -30.0], &[2.0, 4.0]), [0.0, 4.0, 2.0, 0.0]);
    }

    #[test]
    fn windows_overlap_where_the_sizes_do_not_divide() {
        let geometry = AdaptivePool2dGeometry { channels: 1, in_size: [1, 5], out_size: [1, 2], layout: Layout::DENSE };
        let input = [1.0, 2.0, 9.0, 4.0, 9.0];
        assert_eq!(forward(&geometry, &input), [9.0, 9.0]);
        assert_eq!(backward(&geometry, &input, &[1.0, 10.0]), [0.0, 0.0, 11.0, 0.0, 0.0]);
    }

    #[test]
    fn nan_wins() {
        let geometry = AdaptivePool2dGeometry { channels: 1, in_size: [1, 3], out_size: [1, 1], layout: Layout::DENSE };
        assert!(forward(&geometry, &[1.0, f64::NAN, f64::INFINITY])[0].is_nan());
    }
}
