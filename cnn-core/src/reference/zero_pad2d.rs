//! Zeros around a map. <https://pytorch.org/docs/stable/generated/torch.nn.ZeroPad2d.html>

use super::samples;
use crate::kernel::geometry::ZeroPad2dGeometry;

/// input `[n, ih, iw, c]` -> output `[n, oh, ow, c]`
pub fn forward(geometry: &ZeroPad2dGeometry, input: &[f64]) -> Vec<f64> {
    let n = samples(input.len(), geometry.in_len());
    let mut output = vec![0.0; n * geometry.out_len()];
    for_each_value(geometry, n, |i, o| output[o] = input[i]);
    output
}

/// grad_output `[n, oh, ow, c]` -> grad_input `[n, ih, iw, c]`
pub fn backward(geometry: &ZeroPad2dGeometry, grad_output: &[f64]) -> Vec<f64> {
    let n = samples(grad_output.len(), geometry.out_len());
    let mut grad_input = vec![0.0; n * geometry.in_len()];
    for_each_value(geometry, n, |i, o| grad_input[i] = grad_output[o]);
    grad_input
}

/// Calls `copy` with the flat indices `(input, output)` of every value of the input.
fn for_each_value(geometry: &ZeroPad2dGeometry, n: usize, mut copy: impl FnMut(usize, usize)) {
    let ZeroPad2dGeometry { channels, in_size, padding, .. } = *geometry;
    let out_size = geometry.out_size();
    for n in 0..n {
        for ih in 0..in_size[0] {
            for iw in 0..in_size[1] {
                for c in 0..channels {
                    let (oh, ow) = (ih + padding.top, iw + padding.left);
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
        let geometry = ZeroPad2dGeometry { channels: 1, in_size: [1, 2], padding, layout: Layout::DENSE };
        let output = forward(&geometry, &[3.0, 4.0]);
        assert_eq!(output, [0.0, 0.0, 3.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let grad_output: Vec<f64> = (0..10).map(f64::from).collect();
        assert_eq!(backward(&geometry, &grad_output), [2.0, 3.0]);
    }
}
