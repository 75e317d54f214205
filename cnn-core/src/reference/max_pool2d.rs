//! Max pooling. <https://pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html>

use super::{beats, cell, samples};
use crate::kernel::geometry::Pool2dGeometry;

/// input `[n, ih, iw, c]` -> output `[n, oh, ow, c]`
///
/// The padding never wins, not even over negative values; a NaN wins over every number. A window that lies on the
/// padding altogether, which only a dilation can bring about, gives minus infinity.
pub fn forward(geometry: &Pool2dGeometry, input: &[f64]) -> Vec<f64> {
    winners(geometry, input).into_iter().map(|winner| winner.map_or(f64::NEG_INFINITY, |i| input[i])).collect()
}

/// input `[n, ih, iw, c]`, grad_output `[n, oh, ow, c]` -> grad_input `[n, ih, iw, c]`
///
/// The whole gradient goes to the cell that won, of equal ones to the first in the window, row by row.
pub fn backward(geometry: &Pool2dGeometry, input: &[f64], grad_output: &[f64]) -> Vec<f64> {
    let winners = winners(geometry, input);
    assert_eq!(grad_output.len(), winners.len());
    let mut grad_input = vec![0.0; input.len()];
    for (winner, grad) in winners.into_iter().zip(grad_output) {
        if let Some(i) = winner {
            grad_input[i] += grad;
        }
    }
    grad_input
}

/// For each output the flat index of the input that it is.
fn winners(geometry: &Pool2dGeometry, input: &[f64]) -> Vec<Option<usize>> {
    let Pool2dGeometry { channels, in_size, kernel_size, stride, padding, dilation, .. } = *geometry;
    let out_size = geometry.out_size();
    let n = samples(input.len(), geometry.in_len());
    let mut winners = Vec::with_capacity(n * geometry.out_len());
    for n in 0..n {
        for oh in 0..out_size[0] {
            for ow in 0..out_size[1] {
                for c in 0..channels {
                    let mut winner: Option<usize> = None;
                    for kh in 0..kernel_size[0] {
                        for kw in 0..kernel_size[1] {
                            let Some(ih) = cell(oh, kh, stride[0], dilation[0], padding[0], in_size[0]) else {
                                continue;
                            };
                            let Some(iw) = cell(ow, kw, stride[1], dilation[1], padding[1], in_size[1]) else {
                                continue;
                            };
                            let i = ((n * in_size[0] + ih) * in_size[1] + iw) * channels + c;
                            if winner.is_none_or(|winner| beats(input[i], input[winner])) {
                                winner = Some(i);
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

    const HALVING: Pool2dGeometry = Pool2dGeometry {
        channels: 1,
        in_size: [4, 4],
        kernel_size: [2, 2],
        stride: [2, 2],
        padding: [0, 0],
        dilation: [1, 1],
        ceil_mode: false,
        count_include_pad: true,
        divisor_override: None,
        layout: Layout::DENSE,
    };

    #[test]
    fn the_largest_of_each_window() {
        #[rustfmt::skip]
        let input = [
            1.0, 2.0,  5.0, 3.0,
            4.0, 3.0,  5.0, 5.0,
            0.0, 0.0, -1.0, -4.0,
            0.0, 9.0, -2.0, -3.0,
        ];
        assert_eq!(forward(&HALVING, &input), [4.0, 5.0, 9.0, -1.0]);
        #[rustfmt::skip]
        assert_eq!(backward(&HALVING, &input, &[1.0, 2.0, 3.0, 4.0]), [
            0.0, 0.0, 2.0, 0.0,
            1.0, 0.0, 0.0, 0.0,
            0.0, 0.0, 4.0, 0.0,
            0.0, 3.0, 0.0, 0.0,
        ]);
    }

    #[test]
    fn the_first_of_equals_wins_row_by_row() {
        let geometry = Pool2dGeometry { in_size: [2, 2], ..HALVING };
        assert_eq!(backward(&geometry, &[0.0, 7.0, 7.0, 0.0], &[1.0]), [0.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn padding_never_wins() {
        let geometry = Pool2dGeometry { in_size: [2, 2], padding: [1, 1], ..HALVING };
        assert_eq!(forward(&geometry, &[-1.0, -2.0, -3.0, -4.0]), [-1.0, -2.0, -3.0, -4.0]);
    }

    #[test]
    fn nan_wins_and_minus_infinity_still_gets_its_gradient() {
        let geometry = Pool2dGeometry { in_size: [2, 2], ..HALVING };
        assert!(forward(&geometry, &[1.0, f64::NAN, f64::INFINITY, 0.0])[0].is_nan());
        assert_eq!(backward(&geometry, &[f64::NEG_INFINITY; 4], &[1.0]), [1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn overlapping_windows_add_up_their_gradients() {
        let geometry = Pool2dGeometry { in_size: [1, 3], kernel_size: [1, 2], stride: [1, 1], ..HALVING };
        assert_eq!(backward(&geometry, &[0.0, 1.0, 0.0], &[1.0, 10.0]), [0.0, 11.0, 0.0]);
    }

    #[test]
    fn in_ceil_mode_the_rest_is_a_window() {
        let geometry = Pool2dGeometry { in_size: [1, 5], kernel_size: [1, 2], stride: [1, 2], ..HALVING };
        let input = [1.0, 2.0, 4.0, 3.0, -5.0];
        assert_eq!(forward(&geometry, &input), [2.0, 4.0]);
        let geometry = Pool2dGeometry { ceil_mode: true, ..geometry };
        assert_eq!(forward(&geometry, &input), [2.0, 4.0, -5.0]);
        assert_eq!(backward(&geometry, &input, &[1.0, 2.0, 3.0]), [0.0, 1.0, 2.0, 0.0, 3.0]);
    }

    #[test]
    fn in_ceil_mode_one_window_may_be_larger_than_the_map() {
        let geometry = Pool2dGeometry { in_size: [2, 2], kernel_size: [3, 3], ceil_mode: true, ..HALVING };
        assert_eq!(geometry.out_size(), [1, 1]);
        assert_eq!(forward(&geometry, &[1.0, 2.0, 4.0, 3.0]), [4.0]);
    }
}
