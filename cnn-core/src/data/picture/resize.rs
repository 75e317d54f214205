//! Other sizes, as PIL computes them.

use super::view::View;

/// Bits behind the binary point of a weight.
/// <https://github.com/python-pillow/Pillow/blob/main/src/libImaging/Resample.c>, which all of this follows to the bit.
const PRECISION: u32 = 32 - 8 - 2;

/// What each pixel of a row (or of a column) is made of: some neighbours, with weights that add up to about 2^[`PRECISION`].
struct Weights {
    /// The first neighbour of each, and where its weights begin.
    starts: Vec<[usize; 2]>,
    weights: Vec<i32>,
}

impl Weights {
    /// Of a triangle as wide as two pixels of the larger of both sizes.
    fn bilinear(from: usize, to: usize) -> Self {
        let scale = from as f64 / to as f64;
        let support = scale.max(1.0);
        let (mut starts, mut weights) = (Vec::with_capacity(to), Vec::with_capacity(to * (2 * support as usize + 2)));
        let mut exact = Vec::new();
        for place in 0..to {
            let center = (place as f64 + 0.5) * scale;
            // Towards zero, as a cast of C.
            let first = (center - support + 0.5).max(0.0) as usize;
            let end = ((center + support + 0.5) as usize).min(from);
            exact.clear();
            exact.extend((first..end).map(|neighbour| {
                let distance = (neighbour as f64 - center + 0.5) * (1.0 / support);
                (1.0 - distance.abs()).max(0.0)
            }));
            let sum: f64 = exact.iter().sum();
            starts.push([first, weights.len()]);
            weights.extend(exact.iter().map(|weight| (0.5 + weight / sum * f64::from(1 << PRECISION)) as i32));
        }
        Self { starts, weights }
    }

    /// First neighbour and weights of a pixel.
    fn of(&self, place: usize) -> (usize, &[i32]) {
        let [first, from] = self.starts[place];
        let to = self.starts.get(place + 1).map_or(self.weights.len(), |next| next[1]);
        (first, &self.weights[from..to])
    }
}

/// A sum of weighted bytes, rounded.
fn byte(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

const HALF: i32 = 1 << (PRECISION - 1);

/// Bilinear with antialiasing, PIL's `resize(size, BILINEAR)` and torchvision's of pictures: first along the rows, then along
/// the columns, bytes in between. `[h, w, c]` -> `[height, width, c]`; `between` is memory.
pub(super) fn bilinear(from: View<'_>, [height, width]: [usize; 2], between: &mut Vec<u8>, to: &mut [u8]) {
    let channels = from.channels;
    let row = width * channels;
    match (from.width == width, from.height == height) {
        (true, true) => from.rows().zip(to.chunks_exact_mut(row)).for_each(|(from, to)| to.copy_from_slice(from)),
        (false, true) => along_rows(from, &Weights::bilinear(from.width, width), to),
        (true, false) => along_columns(from, &Weights::bilinear(from.height, height), to),
        (false, false) => {
            between.resize(from.height * row, 0);
            along_rows(from, &Weights::bilinear(from.width, width), between);
            let narrow = View::new(between, [from.height, width], channels);
            along_columns(narrow, &Weights::bilinear(from.height, height), to);
        }
    }
}

fn along_rows(from: View<'_>, weights: &Weights, to: &mut [u8]) {
    let row = weights.starts.len() * from.channels;
    for (from_row, to_row) in from.rows().zip(to.chunks_exact_mut(row)) {
        match from.channels {
            1 => each_row::<1>(from_row, weights, to_row),
            3 => each_row::<3>(from_row, weights, to_row),
            channels => {
                for (place, pixel) in to_row.chunks_exact_mut(channels).enumerate() {
                    let (first, weights) = weights.of(place);
                    for (channel, value) in pixel.iter_mut().enumerate() {
                        let values = from_row[first * channels + channel..].iter().step_by(channels);
                        let products = values.zip(weights).map(|(&value, weight)| i32::from(value) * weight);
                        *value = byte(HALF + products.sum::<i32>());
                    }
                }
            }
        }
    }
}

/// Of a known number of channels, whose sums are in registers.
fn each_row<const C: usize>(from: &[u8], weights: &Weights, to: &mut [u8]) {
    let pixels = from.as_chunks::<C>().0;
    for (place, value) in to.as_chunks_mut::<C>().0.iter_mut().enumerate() {
        let (first, weights) = weights.of(place);
        let mut sums = [HALF; C];
        for (pixel, weight) in pixels[first..][..weights.len()].iter().zip(weights) {
            for channel in 0..C {
                sums[channel] += i32::from(pixel[channel]) * weight;
            }
        }
        *value = sums.map(byte);
    }
}

fn along_columns(from: View<'_>, weights: &Weights, to: &mut [u8]) {
    /// Values of a row at a time: their sums are in the nearest cache.
    const STRIP: usize = 256;
    let mut sums = [0; STRIP];
    for (place, to_row) in to.chunks_exact_mut(from.width * from.channels).enumerate() {
        let (first, weights) = weights.of(place);
        for (strip, to_strip) in to_row.chunks_mut(STRIP).enumerate() {
            let sums = &mut sums[..to_strip.len()];
            sums.fill(HALF);
            for (row, &weight) in weights.iter().enumerate() {
                let values = &from.row(first + row)[strip * STRIP..][..sums.len()];
                for (sum, &value) in sums.iter_mut().zip(values) {
                    *sum += i32::from(value) * weight;
                }
            }
            for (value, &sum) in to_strip.iter_mut().zip(sums.iter()) {
                *value = byte(sum);
            }
        }
    }
}

/// The nearest pixel, PIL's `resize(size, NEAREST)`: what masks take. `[h, w, c]` -> `[height, width, c]`.
pub(super) fn nearest(from: View<'_>, [height, width]: [usize; 2], to: &mut [u8]) {
    let (rows, columns) = (places(from.height, height), places(from.width, width));
    for (&row, to_row) in rows.iter().zip(to.chunks_exact_mut(width * from.channels)) {
        for (&column, pixel) in columns.iter().zip(to_row.chunks_exact_mut(from.channels)) {
            pixel.copy_from_slice(from.pixel(row, column));
        }
    }
}

/// The neighbour of each place, found by adding up as PIL does: another sum would round to another neighbour here and there.
fn places(from: usize, to: usize) -> Vec<usize> {
    let scale = from as f64 / to as f64;
    let mut place = scale * 0.5;
    (0..to)
        .map(|_| {
            let neighbour = (place as usize).min(from - 1);
            place += scale;
            neighbour
        })
        .collect()
}
