//! Pixels at other places, as they are: rectangles, also beyond the borders, and mirrors.

use super::view::View;

/// The rectangle whose upper left corner is at these places, which may lie outside: there it is `fill`.
/// `[h, w, c]` -> `[height, width, c]`.
pub(super) fn crop(from: View<'_>, corner: [isize; 2], [height, width]: [usize; 2], fill: u8, to: &mut [u8]) {
    let channels = from.channels;
    let rows = Overlap::new(from.height, corner[0], height);
    let columns = Overlap::new(from.width, corner[1], width);
    if rows.len < height || columns.len < width {
        to.fill(fill);
    }
    for row in 0..rows.len {
        let pixels = &from.row(rows.from + row)[columns.from * channels..][..columns.len * channels];
        to[((rows.to + row) * width + columns.to) * channels..][..pixels.len()].copy_from_slice(pixels);
    }
}

/// The part of a row or column that a window of it sees.
struct Overlap {
    from: usize,
    to: usize,
    len: usize,
}

impl Overlap {
    fn new(size: usize, start: isize, window: usize) -> Self {
        let to = start.min(0).unsigned_abs().min(window);
        let from = start.max(0).unsigned_abs().min(size);
        Self { from, to, len: (size - from).min(window - to) }
    }
}

/// Left becomes right, `[h, w, c]` in place.
pub(super) fn flip_horizontal(pixels: &mut [u8], width: usize, channels: usize) {
    for row in pixels.chunks_exact_mut(width * channels) {
        match channels {
            1 => row.reverse(),
            3 => row.as_chunks_mut::<3>().0.reverse(),
            _ => {
                for column in 0..width / 2 {
                    let (left, right) = row.split_at_mut((width - 1 - column) * channels);
                    left[column * channels..][..channels].swap_with_slice(&mut right[..channels]);
                }
            }
        }
    }
}

/// Top becomes bottom, `[h, w, c]` in place.
pub(super) fn flip_vertical(pixels: &mut [u8], height: usize) {
    let stride = pixels.len() / height;
    for row in 0..height / 2 {
        let (top, bottom) = pixels.split_at_mut((height - 1 - row) * stride);
        top[row * stride..][..stride].swap_with_slice(&mut bottom[..stride]);
    }
}

/// Rows become columns: `[h, w, c]` -> `[w, h, c]`.
pub(super) fn transpose(from: View<'_>, to: &mut [u8]) {
    for row in 0..from.height {
        for (column, pixel) in from.row(row).chunks_exact(from.channels).enumerate() {
            to[(column * from.height + row) * from.channels..][..from.channels].copy_from_slice(pixel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIXELS: [u8; 6] = [1, 2, 3, 4, 5, 6];

    fn cropped(corner: [isize; 2], size: [usize; 2]) -> Vec<u8> {
        let mut to = vec![99; size[0] * size[1]];
        crop(View::new(&PIXELS, [2, 3], 1), corner, size, 7, &mut to);
        to
    }

    #[test]
    fn a_crop_is_filled_where_there_is_no_picture() {
        assert_eq!(cropped([0, 1], [2, 2]), [2, 3, 5, 6]);
        assert_eq!(cropped([-1, 2], [2, 2]), [7, 7, 3, 7]);
        assert_eq!(cropped([1, -1], [2, 2]), [7, 4, 7, 7]);
        for corner in [[5, 0], [0, 5], [-5, 0], [0, -5], [isize::MIN, isize::MAX]] {
            assert_eq!(cropped(corner, [2, 2]), [7; 4], "{corner:?}");
        }
        assert_eq!(cropped([0, 0], [2, 3]), PIXELS);
    }

    #[test]
    fn flips_keep_channels_together() {
        let mut pixels = PIXELS;
        flip_horizontal(&mut pixels, 3, 1);
        assert_eq!(pixels, [3, 2, 1, 6, 5, 4]);
        let mut pixels = PIXELS;
        flip_horizontal(&mut pixels, 2, 3);
        assert_eq!(pixels, [4, 5, 6, 1, 2, 3]);
        let mut pixels = PIXELS;
        flip_horizontal(&mut pixels, 3, 2);
        assert_eq!(pixels, [5, 6, 3, 4, 1, 2]);
        let mut pixels = PIXELS;
        flip_vertical(&mut pixels, 3);
        assert_eq!(pixels, [5, 6, 3, 4, 1, 2]);
    }
}
