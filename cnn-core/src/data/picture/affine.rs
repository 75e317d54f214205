//! Turned, moved, scaled and sheared pictures, as PIL computes them.
//! <https://github.com/python-pillow/Pillow/blob/main/src/libImaging/Geometry.c>, followed to the bit.

use super::view::View;

/// How a pixel comes from its neighbours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interpolation {
    /// The nearest one, torchvision's default.
    #[default]
    Nearest,
    /// The four around it, by how near they are.
    Bilinear,
}

/// Six numbers that say where a pixel comes from: that at the column x and the row y of the new picture was at `a x + b y + c` and
/// `d x + e y + f` of the old one. As those of PIL's `transform(size, AFFINE, data)`.
pub type Matrix = [f64; 6];

/// The matrix that turns counter-clockwise around the middle of a picture, PIL's `rotate`.
/// <https://github.com/python-pillow/Pillow/blob/main/src/PIL/Image.py>
pub(super) fn rotation([height, width]: [usize; 2], degrees: f64) -> Matrix {
    let angle = -degrees.to_radians();
    // As Python's `round(x, 15)`: to the nearest decimal.
    let round = |value: f64| format!("{value:.15}").parse().unwrap_or(value);
    let (a, b, d, e) = (round(angle.cos()), round(angle.sin()), round(-angle.sin()), round(angle.cos()));
    let (x, y) = (width as f64 / 2.0, height as f64 / 2.0);
    [a, b, a * -x + b * -y + 0.0 + x, d, e, d * -x + e * -y + 0.0 + y]
}

/// The matrix that torchvision's `affine` gives PIL: a picture turned clockwise by degrees, sheared by degrees along x and y, scaled,
/// all around its middle, and then moved by pixels along x and y.
/// <https://github.com/pytorch/vision/blob/main/torchvision/transforms/functional.py>, `_get_inverse_affine_matrix`.
pub fn affine_matrix(
    [height, width]: [usize; 2],
    degrees: f64,
    translate: [f64; 2],
    scale: f64,
    shear: [f64; 2],
) -> Matrix {
    let rotation = degrees.to_radians();
    let [shear_x, shear_y] = shear.map(f64::to_radians);
    let (x, y) = (width as f64 * 0.5, height as f64 * 0.5);
    let a = (rotation - shear_y).cos() / shear_y.cos();
    let b = -(rotation - shear_y).cos() * shear_x.tan() / shear_y.cos() - rotation.sin();
    let c = (rotation - shear_y).sin() / shear_y.cos();
    let d = -(rotation - shear_y).sin() * shear_x.tan() / shear_y.cos() + rotation.cos();
    let [m0, m1, m3, m4] = [d, -b, -c, a].map(|value| value / scale);
    let moved = |m0: f64, m1: f64| 0.0 / scale + (m0 * (-x - translate[0]) + m1 * (-y - translate[1]));
    [m0, m1, moved(m0, m1) + x, m3, m4, moved(m3, m4) + y]
}

/// `[h, w, c]` -> `[h, w, c]`; what comes from outside is `fill`.
pub(super) fn transform(from: View<'_>, matrix: &Matrix, interpolation: Interpolation, fill: u8, to: &mut [u8]) {
    to.fill(fill);
    match (interpolation, from.channels) {
        (Interpolation::Bilinear, _) => bilinear(from, matrix, to),
        (Interpolation::Nearest, _) if matrix[1] == 0.0 && matrix[3] == 0.0 => scaled(from, matrix, to),
        // Of a known number of channels, a pixel is copied without a call.
        (Interpolation::Nearest, 1) if is_small(from, matrix) => fixed_point::<1>(from, matrix, to),
        (Interpolation::Nearest, 2) if is_small(from, matrix) => fixed_point::<2>(from, matrix, to),
        (Interpolation::Nearest, 3) if is_small(from, matrix) => fixed_point::<3>(from, matrix, to),
        (Interpolation::Nearest, 4) if is_small(from, matrix) => fixed_point::<4>(from, matrix, to),
        (Interpolation::Nearest, _) => nearest(from, matrix, to),
    }
}

/// Whether all places are numbers of 16 bits.
fn is_small(from: View<'_>, [a, b, c, d, e, f]: &Matrix) -> bool {
    let (width, height) = (from.width as f64, from.height as f64);
    [[0.0, 0.0], [width, height], [0.0, height], [width, 0.0]]
        .iter()
        .all(|[x, y]| (x * a + y * b + c).abs() < 32768.0 && (x * d + y * e + f).abs() < 32768.0)
}

/// A row or a column, if it is one of the picture's.
fn within(place: f64, size: usize) -> Option<usize> {
    (place >= 0.0 && place < size as f64).then_some(place as usize)
}

fn scaled(from: View<'_>, [a, _, c, _, e, f]: &Matrix, to: &mut [u8]) {
    let along = |start: f64, step: f64, from: usize, to: usize| -> Vec<Option<usize>> {
        let mut place = start + step * 0.5;
        let mut places = Vec::with_capacity(to);
        for _ in 0..to {
            places.push(within(place, from));
            place += step;
        }
        places
    };
    let (rows, columns) = (along(*f, *e, from.height, from.height), along(*c, *a, from.width, from.width));
    for (row, to) in rows.iter().zip(to.chunks_exact_mut(from.width * from.channels)) {
        for (column, pixel) in columns.iter().zip(to.chunks_exact_mut(from.channels)) {
            if let (Some(row), Some(column)) = (row, column) {
                pixel.copy_from_slice(from.pixel(*row, *column));
            }
        }
    }
}

/// In numbers with 16 bits behind the binary point.
fn fixed_point<const C: usize>(from: View<'_>, [a, b, c, d, e, f]: &Matrix, to: &mut [u8]) {
    let fix = |value: f64| (value * 65536.0 + 0.5).floor() as i32;
    let (a0, a1, a3, a4) = (fix(*a), fix(*b), fix(*d), fix(*e));
    let (mut row_x, mut row_y) = (fix(c + a * 0.5 + b * 0.5), fix(f + d * 0.5 + e * 0.5));
    for to in to.chunks_exact_mut(from.width * C) {
        let (mut x, mut y) = (row_x, row_y);
        for pixel in to.as_chunks_mut::<C>().0 {
            // One below zero is a very large one.
            let (column, row) = ((x >> 16) as usize, (y >> 16) as usize);
            if column < from.width && row < from.height {
                *pixel = from.row(row).as_chunks::<C>().0[column];
            }
            (x, y) = (x.wrapping_add(a0), y.wrapping_add(a3));
        }
        (row_x, row_y) = (row_x.wrapping_add(a1), row_y.wrapping_add(a4));
    }
}

fn nearest(from: View<'_>, [a, b, c, d, e, f]: &Matrix, to: &mut [u8]) {
    let (mut row_x, mut row_y) = (c + b * 0.5 + a * 0.5, f + e * 0.5 + d * 0.5);
    for to in to.chunks_exact_mut(from.width * from.channels) {
        let (mut x, mut y) = (row_x, row_y);
        for pixel in to.chunks_exact_mut(from.channels) {
            if let (Some(column), Some(row)) = (within(x, from.width), within(y, from.height)) {
                pixel.copy_from_slice(from.pixel(row, column));
            }
            (x, y) = (x + a, y + d);
        }
        (row_x, row_y) = (row_x + b, row_y + e);
    }
}

fn bilinear(from: View<'_>, [a, b, c, d, e, f]: &Matrix, to: &mut [u8]) {
    for (row, to) in to.chunks_exact_mut(from.width * from.channels).enumerate() {
        for (column, pixel) in to.chunks_exact_mut(from.channels).enumerate() {
            let (x, y) = (column as f64 + 0.5, row as f64 + 0.5);
            between(from, a * x + b * y + c, d * x + e * y + f, pixel);
        }
    }
}

/// Writes the value between four pixels; nothing of a place outside.
fn between(from: View<'_>, x: f64, y: f64, to: &mut [u8]) {
    let inside = |place: f64, size: usize| place >= 0.0 && place < size as f64;
    if !(inside(x, from.width) && inside(y, from.height)) {
        return;
    }
    let (x, y) = (x - 0.5, y - 0.5);
    let (left, top) = (x.floor(), y.floor());
    let (dx, dy) = (x - left, y - top);
    // Beyond the borders as on them: -1 is 0 in the numbers that a `usize` has.
    let column = |place: f64| (place as usize).min(from.width - 1);
    let upper = from.row(top as usize);
    let lower = if top + 1.0 < from.height as f64 { from.row((top + 1.0) as usize) } else { upper };
    let (left, right) = (column(left) * from.channels, column(left + 1.0) * from.channels);
    for (channel, value) in to.iter_mut().enumerate() {
        let mix = |row: &[u8]| {
            let (left, right) = (f64::from(row[left + channel]), f64::from(row[right + channel]));
            left + (right - left) * dx
        };
        let (upper, lower) = (mix(upper), mix(lower));
        *value = (upper + (lower - upper) * dy) as u8;
    }
}
