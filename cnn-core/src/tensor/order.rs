//! Between channels-first and channels-last, sample by sample. Knows slices and [`Sizes`] only.

use crate::shape::Sizes;

/// `[n, c, h, w]` to `[n, h, w, c]`.
pub(crate) fn channels_last(sizes: Sizes, channels_first: &[f32], channels_last: &mut [f32]) {
    transpose_samples(sizes.channels(), sizes.positions(), channels_first, channels_last);
}

/// `[n, h, w, c]` to `[n, c, h, w]`.
pub(crate) fn channels_first(sizes: Sizes, channels_last: &[f32], channels_first: &mut [f32]) {
    transpose_samples(sizes.positions(), sizes.channels(), channels_last, channels_first);
}

/// `[n, rows, columns]` to `[n, columns, rows]`.
pub(crate) fn transpose_samples(rows: usize, columns: usize, from: &[f32], to: &mut [f32]) {
    if rows == 1 || columns == 1 {
        to.copy_from_slice(from);
    } else {
        each_transposed(rows, columns, from, to, |value, to| *to = value);
    }
}

/// [`transpose_samples`], added to what is there.
pub(crate) fn add_transposed_samples(rows: usize, columns: usize, from: &[f32], to: &mut [f32]) {
    each_transposed(rows, columns, from, to, |value, to| *to += value);
}

fn each_transposed(rows: usize, columns: usize, from: &[f32], to: &mut [f32], write: impl Fn(f32, &mut f32)) {
    assert_eq!(from.len(), to.len());
    let samples = from.chunks_exact(rows * columns).zip(to.chunks_exact_mut(rows * columns));
    for (from, to) in samples {
        for (row, values) in from.chunks_exact(columns).enumerate() {
            for (column, &value) in values.iter().enumerate() {
                write(value, &mut to[column * rows + row]);
            }
        }
    }
}
