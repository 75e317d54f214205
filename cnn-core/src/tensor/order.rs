//! Between channels-first and channels-last, sample by sample. Knows slices and [`Sizes`] only.

use crate::shape::Sizes;

/// `[n, c, h, w]` to `[n, h, w, c]`, of samples that are these maps.
pub(crate) fn channels_last(maps: &[Sizes], channels_first: &[f32], channels_last: &mut [f32]) {
    each_map(maps, channels_first, channels_last, |map| [map.channels(), map.positions()]);
}

/// `[n, h, w, c]` to `[n, c, h, w]`, of samples that are these maps.
pub(crate) fn channels_first(maps: &[Sizes], channels_last: &[f32], channels_first: &mut [f32]) {
    each_map(maps, channels_last, channels_first, |map| [map.positions(), map.channels()]);
}

fn each_map(maps: &[Sizes], from: &[f32], to: &mut [f32], rows_and_columns: impl Fn(&Sizes) -> [usize; 2]) {
    if let [map] = maps {
        let [rows, columns] = rows_and_columns(map);
        return transpose_samples(rows, columns, from, to);
    }
    let (mut from, mut to) = (from, to);
    while !from.is_empty() {
        for map in maps {
            let ([rows, columns], (one, behind)) = (rows_and_columns(map), from.split_at(map.len()));
            let (other, rest) = to.split_at_mut(map.len());
            transpose_samples(rows, columns, one, other);
            (from, to) = (behind, rest);
        }
    }
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
