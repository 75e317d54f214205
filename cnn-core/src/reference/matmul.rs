//! Products of matrices, one for each channel: `torch.matmul` of `[c, h, w]`.
//! <https://pytorch.org/docs/stable/generated/torch.matmul.html>

use super::samples;
use crate::kernel::geometry::MatmulGeometry;

/// first `[n, rows, depth, c]`, second `[n, depth, columns, c]` -> output `[n, rows, columns, c]`; a matrix that is transposed
/// lies as `[n, depth, rows, c]`, or `[n, columns, depth, c]`
pub fn forward(geometry: &MatmulGeometry, first: &[f64], second: &[f64]) -> Vec<f64> {
    let mut output = vec![0.0; samples(first.len(), geometry.lens()[0]) * geometry.lens()[2]];
    each(geometry, first.len(), |a, b, o| output[o] += first[a] * second[b]);
    output
}

/// first, second, grad_output -> the gradients by both
pub fn backward(geometry: &MatmulGeometry, first: &[f64], second: &[f64], grad_output: &[f64]) -> [Vec<f64>; 2] {
    let mut gradients = [vec![0.0; first.len()], vec![0.0; second.len()]];
    each(geometry, first.len(), |a, b, o| {
        gradients[0][a] += grad_output[o] * second[b];
        gradients[1][b] += grad_output[o] * first[a];
    });
    gradients
}

/// Calls `each` with the places of two factors, and of the sum that their product is part of.
fn each(geometry: &MatmulGeometry, first: usize, mut each: impl FnMut(usize, usize, usize)) {
    let MatmulGeometry { channels, rows, depth, columns, transposed } = *geometry;
    let [first_len, second_len, product_len] = geometry.lens();
    let place = |row: usize, column: usize, width: usize, c: usize| (row * width + column) * channels + c;
    for n in 0..samples(first, first_len) {
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
            for (k, c) in (0..depth).flat_map(|k| (0..channels).map(move |c| (k, c))) {
                let a = if transposed[0] { place(k, row, rows, c) } else { place(row, k, depth, c) };
                let b = if transposed[1] { place(column, k, depth, c) } else { place(k, column, columns, c) };
                each(n * first_len + a, n * second_len + b, n * product_len + place(row, column, columns, c));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_times_columns() {
        let geometry = MatmulGeometry::of([1, 2, 3], [1, 3, 1], [false, false]);
        assert_eq!(forward(&geometry, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[1.0, 0.0, 2.0]), [7.0, 16.0]);
        let transposed = MatmulGeometry { transposed: [true, true], ..geometry };
        assert_eq!(forward(&transposed, &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0], &[1.0, 0.0, 2.0]), [7.0, 16.0]);
        let [first, second] = backward(&geometry, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[1.0, 0.0, 2.0], &[1.0, 10.0]);
        assert_eq!(first, [1.0, 0.0, 2.0, 10.0, 0.0, 20.0]);
        assert_eq!(second, [41.0, 52.0, 63.0]);
    }
}
