//! Resampling to another height and width. <https://pytorch.org/docs/stable/generated/torch.nn.Upsample.html>

use super::samples;
use crate::kernel::geometry::{Interpolation, Upsample2dGeometry};

/// input `[n, ih, iw, c]` -> output `[n, oh, ow, c]`
pub fn forward(geometry: &Upsample2dGeometry, input: &[f64]) -> Vec<f64> {
    let n = samples(input.len(), geometry.in_len());
    let mut output = vec![0.0; n * geometry.out_len()];
    for_each_share(geometry, n, |i, o, share| output[o] += input[i] * share);
    output
}

/// grad_output `[n, oh, ow, c]` -> grad_input `[n, ih, iw, c]`
pub fn backward(geometry: &Upsample2dGeometry, grad_output: &[f64]) -> Vec<f64> {
    let n = samples(grad_output.len(), geometry.out_len());
    let mut grad_input = vec![0.0; n * geometry.in_len()];
    for_each_share(geometry, n, |i, o, share| grad_input[i] += grad_output[o] * share);
    grad_input
}

/// Calls `add` with the flat indices `(input, output)` and the share of every `output += input * share` that the resampling
/// consists of. Rows and columns are resampled independently: a cell's share is that of its row times that of its column.
fn for_each_share(geometry: &Upsample2dGeometry, n: usize, mut add: impl FnMut(usize, usize, f64)) {
    let Upsample2dGeometry { channels, in_size, out_size, .. } = *geometry;
    for n in 0..n {
        for oh in 0..out_size[0] {
            for ow in 0..out_size[1] {
                for (ih, row_share) in sources(geometry, 0, oh) {
                    for (iw, column_share) in sources(geometry, 1, ow) {
                        // No part of it: zero times infinity would be NaN, as it is in PyTorch.
                        if row_share * column_share == 0.0 {
                            continue;
                        }
                        for c in 0..channels {
                            let i = ((n * in_size[0] + ih) * in_size[1] + iw) * channels + c;
                            let o = ((n * out_size[0] + oh) * out_size[1] + ow) * channels + c;
                            add(i, o, row_share * column_share);
                        }
                    }
                }
            }
        }
    }
}

/// The two rows (`axis` 0) or columns (1) of the input that make this one of the output, with their shares.
fn sources(geometry: &Upsample2dGeometry, axis: usize, position: usize) -> [(usize, f64); 2] {
    let (cells, positions) = (geometry.in_size[axis], geometry.out_size[axis]);
    let Interpolation::Bilinear { align_corners } = geometry.interpolation else {
        let nearest = geometry.nearest(axis, position);
        return [(nearest, 1.0), (nearest, 0.0)];
    };
    // Where the centre of the output's cell lies, counted from the centre of the input's first.
    // `area_pixel_compute_source_index` in
    // <https://github.com/pytorch/pytorch/blob/main/aten/src/ATen/native/UpSample.h>
    let place = match align_corners {
        true if positions == 1 => 0.0,
        true => position as f64 * (cells - 1) as f64 / (positions - 1) as f64,
        false => (geometry.place(axis, position as f64 + 0.5) - 0.5).max(0.0),
    };
    let first = (place.floor() as usize).min(cells - 1);
    let share = place - first as f64;
    [(first, 1.0 - share), ((first + 1).min(cells - 1), share)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::geometry::Layout;

    const NEAREST: Upsample2dGeometry = Upsample2dGeometry {
        channels: 1,
        in_size: [1, 2],
        out_size: [1, 4],
        scale_factor: None,
        interpolation: Interpolation::Nearest,
        layout: Layout::DENSE,
    };

    #[test]
    fn nearest_repeats_cells() {
        assert_eq!(forward(&NEAREST, &[1.0, 2.0]), [1.0, 1.0, 2.0, 2.0]);
        assert_eq!(backward(&NEAREST, &[1.0, 2.0, 3.0, 4.0]), [3.0, 7.0]);
    }

    #[test]
    fn a_factor_with_a_fraction_keeps_its_scale() {
        // Five cells of the six that 2 * 2.6 would be: 0, 1, 2 lie in the first.
        let geometry = Upsample2dGeometry { out_size: [1, 5], scale_factor: Some([1.0, 2.6]), ..NEAREST };
        assert_eq!(forward(&geometry, &[1.0, 2.0]), [1.0, 1.0, 1.0, 2.0, 2.0]);
        let geometry =
            Upsample2dGeometry { interpolation: Interpolation::Bilinear { align_corners: false }, ..geometry };
        let output = forward(&geometry, &[0.0, 1.0]);
        for (found, expected) in output.iter().zip([0.0, 1.5 / 2.6 - 0.5, 2.5 / 2.6 - 0.5, 3.5 / 2.6 - 0.5, 1.0]) {
            assert!((found - expected).abs() < 1e-14, "{output:?}");
        }
    }

    #[test]
    fn bilinear_keeps_the_ends_flat_or_aligns_them() {
        let geometry =
            Upsample2dGeometry { interpolation: Interpolation::Bilinear { align_corners: false }, ..NEAREST };
        assert_eq!(forward(&geometry, &[0.0, 8.0]), [0.0, 2.0, 6.0, 8.0]);
        let geometry =
            Upsample2dGeometry { interpolation: Interpolation::Bilinear { align_corners: true }, ..geometry };
        assert_eq!(forward(&geometry, &[0.0, 9.0]), [0.0, 3.0, 6.0, 9.0]);
    }
}
