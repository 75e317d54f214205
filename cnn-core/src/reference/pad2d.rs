//! Rows and columns around a map: of a constant, or of the map's own cells.
//! <https://pytorch.org/docs/stable/nn.html#padding-layers>

use super::samples;
use crate::kernel::geometry::{Pad2dGeometry, PaddingMode};

/// input `[n, ih, iw, c]` -> output `[n, oh, ow, c]`
pub fn forward(geometry: &Pad2dGeometry, input: &[f64]) -> Vec<f64> {
    let n = samples(input.len(), geometry.in_len());
    let constant = if let PaddingMode::Constant(value) = geometry.mode { f64::from(value) } else { 0.0 };
    let mut output = vec![constant; n * geometry.out_len()];
    for_each_value(geometry, n, |i, o| output[o] = input[i]);
    output
}

/// grad_output `[n, oh, ow, c]` -> grad_input `[n, ih, iw, c]`
pub fn backward(geometry: &Pad2dGeometry, grad_output: &[f64]) -> Vec<f64> {
    let n = samples(grad_output.len(), geometry.out_len());
    let mut grad_input = vec![0.0; n * geometry.in_len()];
    for_each_value(geometry, n, |i, o| grad_input[i] += grad_output[o]);
    grad_input
}

/// The cell of the map that a cell is which lies so far from its first; none of a constant's.
fn shown(mode: PaddingMode, at: isize, cells: usize) -> Option<usize> {
    let cells = cells as isize;
    let cell = match mode {
        PaddingMode::Constant(_) => at,
        PaddingMode::Reflect if at < 0 => -at,
        PaddingMode::Reflect if at >= cells => 2 * (cells - 1) - at,
        PaddingMode::Reflect => at,
        PaddingMode::Replicate => at.clamp(0, cells - 1),
        PaddingMode::Circular => at.rem_euclid(cells),
    };
    (0..cells).contains(&cell).then_some(cell as usize)
}

/// Calls `copy` with the flat indices `(input, output)` of every value of the output that shows one of the input.
fn for_each_value(geometry: &Pad2dGeometry, n: usize, mut copy: impl FnMut(usize, usize)) {
    let Pad2dGeometry { channels, in_size, padding, mode, .. } = *geometry;
    let out_size = geometry.out_size();
    for n in 0..n {
        for oh in 0..out_size[0] {
            for ow in 0..out_size[1] {
                let ih = shown(mode, oh as isize - padding.top as isize, in_size[0]);
                let iw = shown(mode, ow as isize - padding.left as isize, in_size[1]);
                let (Some(ih), Some(iw)) = (ih, iw) else { continue };
                for c in 0..channels {
                    copy(
                        ((n * in_size[0] + ih) * in_size[1] + iw) * channels + c,
                        ((n * out_size[0] + oh) * out_size[1] + ow) * channels + c,
                    );
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

    #[test]
    fn each_side_gets_its_own() {
        let padding = Padding { top: 0, bottom: 1, left: 2, right: 1 };
        let mode = PaddingMode::ZEROS;
        let geometry = Pad2dGeometry { channels: 1, in_size: [1, 2], padding, mode, layout: Layout::DENSE };
        let output = forward(&geometry, &[3.0, 4.0]);
        assert_eq!(output, [0.0, 0.0, 3.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let grad_output: Vec<f64> = (0..10).map(f64::from).collect();
        assert_eq!(backward(&geometry, &grad_output), [2.0, 3.0]);
    }

    #[test]
    fn a_row_is_shown_in_each_way() {
        for (mode, expected, gradient) in [
            (PaddingMode::Constant(9.0), [9.0, 9.0, 1.0, 2.0, 3.0, 9.0], [3.0, 4.0, 5.0]),
            (PaddingMode::Reflect, [3.0, 2.0, 1.0, 2.0, 3.0, 2.0], [3.0, 4.0 + 2.0 + 6.0, 5.0 + 1.0]),
            (PaddingMode::Replicate, [1.0, 1.0, 1.0, 2.0, 3.0, 3.0], [1.0 + 2.0 + 3.0, 4.0, 5.0 + 6.0]),
            (PaddingMode::Circular, [2.0, 3.0, 1.0, 2.0, 3.0, 1.0], [3.0 + 6.0, 4.0 + 1.0, 5.0 + 2.0]),
        ] {
            let padding = Padding { top: 0, bottom: 0, left: 2, right: 1 };
            let geometry = Pad2dGeometry { channels: 1, in_size: [1, 3], padding, mode, layout: Layout::DENSE };
            assert_eq!(forward(&geometry, &[1.0, 2.0, 3.0]), expected, "{mode:?}");
            assert_eq!(backward(&geometry, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), gradient, "{mode:?}");
        }
    }
}
