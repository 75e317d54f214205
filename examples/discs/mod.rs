//! Pictures of discs of any size and colour between bars, rings and soft light, with the truth of where the discs are. A picture
//! follows from its number alone.

use cnn_core::random::{Key, Purpose, Stream};

use crate::boxes::Bounds;

/// Rows of a picture.
pub const HEIGHT: usize = 96;
/// Its columns.
pub const WIDTH: usize = 128;

/// Pixels in red, green and blue, one row behind the other, from 0 to 1.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// `[height, width, 3]`
    pub pixels: Vec<f32>,
}

impl Picture {
    /// The picture of this number, and its discs.
    pub fn paint(number: u64) -> (Self, Vec<Bounds>) {
        let key = Key { purpose: Purpose::Augmentation, seed: 0, step: 0, layer: 0, sample: number };
        let mut random = Random(key.stream());
        let mut picture = Self { height: HEIGHT, width: WIDTH, pixels: vec![0.0; HEIGHT * WIDTH * 3] };
        let (ground, slope) = (random.colour(), [(); 2].map(|()| random.between(-0.3, 0.3)));
        picture.cover(ground, |_| 1.0);
        for _ in 0..3 + random.0.below(5) {
            random.clutter(&mut picture);
        }
        let mut discs: Vec<Bounds> = Vec::new();
        for _ in 0..6 {
            // As many small ones as large ones.
            let radius = 6.0 * (random.between(0.0, 1.0) * 6.0_f32.ln()).exp();
            let [y, x] =
                [HEIGHT, WIDTH].map(|size| random.between(radius, (size as f32 - radius).max(radius + f32::EPSILON)));
            let bounds = Bounds { left: x - radius, top: y - radius, right: x + radius, bottom: y + radius };
            let (within, near) = (radius + 1.0, |other: &Bounds| bounds.intersection_over_union(other) > 0.0);
            if within > HEIGHT.min(WIDTH) as f32 / 2.0 || discs.iter().any(near) {
                continue;
            }
            let colour = random.contrasting(picture.mean(bounds));
            picture.cover(colour, |[row, column]| radius - (row - y).hypot(column - x) + 0.5);
            discs.push(bounds);
        }
        for row in 0..HEIGHT {
            for column in 0..WIDTH {
                let light =
                    slope[0] * (row as f32 / HEIGHT as f32 - 0.5) + slope[1] * (column as f32 / WIDTH as f32 - 0.5);
                for value in &mut picture.pixels[(row * WIDTH + column) * 3..][..3] {
                    *value = (*value + light + 0.02 * random.normal()).clamp(0.0, 1.0);
                }
            }
        }
        (picture, discs)
    }

    /// A smaller copy: each pixel is the mean of those that it covers.
    pub fn resized(&self, height: usize, width: usize) -> Self {
        let rows = shares(self.height, height);
        let columns = shares(self.width, width);
        let mut pixels = Vec::with_capacity(height * width * 3);
        for row in &rows {
            for column in &columns {
                let mut sum = [0.0; 3];
                for (y, of_row) in row {
                    for (x, of_column) in column {
                        let pixel = &self.pixels[(y * self.width + x) * 3..][..3];
                        sum.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += of_row * of_column * value);
                    }
                }
                pixels.extend(sum);
            }
        }
        Self { height, width, pixels }
    }

    /// The pixels of a window, as `[size, size, 3]`.
    pub fn window(&self, top: usize, left: usize, size: usize) -> impl Iterator<Item = f32> + '_ {
        let row = move |row: usize| &self.pixels[(row * self.width + left) * 3..][..size * 3];
        (top..top + size).flat_map(row).copied()
    }

    /// Covers as much of each pixel as a function of its middle says, from 0 to 1, with a colour.
    fn cover(&mut self, colour: [f32; 3], share: impl Fn([f32; 2]) -> f32) {
        for row in 0..self.height {
            for column in 0..self.width {
                let share = share([row as f32 + 0.5, column as f32 + 0.5]).clamp(0.0, 1.0);
                let pixel = &mut self.pixels[(row * self.width + column) * 3..][..3];
                pixel.iter_mut().zip(colour).for_each(|(value, colour)| *value += share * (colour - *value));
            }
        }
    }

    /// The mean colour of a part.
    fn mean(&self, of: Bounds) -> [f32; 3] {
        let (mut sum, mut count) = ([0.0; 3], 0.0);
        for row in of.top as usize..(of.bottom as usize).min(self.height) {
            for column in of.left as usize..(of.right as usize).min(self.width) {
                let pixel = &self.pixels[(row * self.width + column) * 3..][..3];
                sum.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
                count += 1.0;
            }
        }
        sum.map(|sum| sum / f32::max(count, 1.0))
    }
}

/// For each of fewer pixels those that it covers, and which share of it each is.
fn shares(from: usize, to: usize) -> Vec<Vec<(usize, f32)>> {
    let scale = from as f32 / to as f32;
    let covered = |pixel: usize| {
        let (start, end) = (pixel as f32 * scale, (pixel + 1) as f32 * scale);
        let share = |other: usize| (end.min((other + 1) as f32) - start.max(other as f32)).max(0.0) / scale;
        (start as usize..(end.ceil() as usize).min(from)).map(|other| (other, share(other))).collect()
    };
    (0..to).map(covered).collect()
}

/// Draws as a picture needs them.
struct Random(Stream);

impl Random {
    fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.0.uniform()
    }

    fn colour(&mut self) -> [f32; 3] {
        [(); 3].map(|()| self.between(0.1, 0.9))
    }

    /// A colour that stands out from another.
    fn contrasting(&mut self, other: [f32; 3]) -> [f32; 3] {
        loop {
            let colour = self.colour();
            let difference: f32 = colour.iter().zip(other).map(|(one, other)| (one - other).abs()).sum();
            if difference > 0.8 {
                return colour;
            }
        }
    }

    /// Roughly normal, with mean 0 and variance 1.
    fn normal(&mut self) -> f32 {
        // The sum of three draws, each of variance 1/12.
        2.0 * ((0..3).map(|_| self.0.uniform()).sum::<f32>() - 1.5)
    }

    /// A bar or a ring, which is no disc.
    fn clutter(&mut self, picture: &mut Picture) {
        let (colour, y, x) = (self.colour(), self.between(0.0, HEIGHT as f32), self.between(0.0, WIDTH as f32));
        if self.0.uniform() < 0.3 {
            let (radius, width) = (self.between(8.0, 40.0), self.between(1.0, 3.0));
            picture.cover(colour, |[row, column]| width - ((row - y).hypot(column - x) - radius).abs() + 0.5);
        } else {
            let (angle, length, width) = (self.between(0.0, 3.2), self.between(5.0, 60.0), self.between(1.0, 20.0));
            let (sine, cosine) = angle.sin_cos();
            picture.cover(colour, |[row, column]| {
                let (down, right) = (row - y, column - x);
                let (along, across) = (right * cosine + down * sine, down * cosine - right * sine);
                (length - along.abs()).min(width - across.abs()) + 0.5
            });
        }
    }
}
