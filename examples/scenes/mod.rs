//! Pictures of digits in front of clutter, with the truth of which pixels are a digit's. A picture follows from a seed and
//! its number alone, so there are as many as one wants, and the same ones in every run.

mod canvas;

use std::ops::Range;

use cnn_core::data::Images;
use cnn_core::prelude::Error;
use cnn_core::random::{Key, Purpose, Stream};

use canvas::Canvas;

/// Pixels of a picture's row, and of its column.
pub const SIZE: usize = 64;

/// Pixels of a picture.
pub const PIXELS: usize = SIZE * SIZE;

/// Pictures with these digits.
#[derive(Debug)]
pub struct Scenes<'a> {
    /// Grey images of one digit each; 0 is paper.
    pub digits: &'a Images,
    /// Which of them are painted.
    pub chosen: &'a [usize],
    /// Decides all that is random.
    pub seed: u64,
}

impl Scenes<'_> {
    /// Paints the pictures of these numbers, and writes 1 for each pixel that is a digit's and 0 for the others.
    pub fn paint(&self, numbers: Range<u64>) -> Result<(Images, Vec<u8>), Error> {
        let (mut pictures, mut truth) = (Vec::new(), Vec::new());
        for number in numbers {
            pictures.resize(pictures.len() + PIXELS, 0);
            truth.resize(truth.len() + PIXELS, 0);
            let start = truth.len() - PIXELS;
            self.paint_one(number, &mut pictures[start..], &mut truth[start..]);
        }
        Ok((Images::new(1, [SIZE, SIZE], pictures)?, truth))
    }

    fn paint_one(&self, number: u64, picture: &mut [u8], truth: &mut [u8]) {
        let key = Key { purpose: Purpose::Augmentation, seed: self.seed, step: 0, layer: 0, sample: number };
        let mut random = Random(key.stream());
        let mut canvas = Canvas::new(random.between(0.2, 0.8));
        gradient(&mut random, &mut canvas);
        // Each kind of clutter in about half of the pictures.
        for clutter in [blobs, lines, strokes] {
            if random.chance(0.5) {
                clutter(&mut random, &mut canvas);
            }
        }
        let ink = random.contrasting(canvas.mean());
        for _ in 0..3 {
            self.digit(&mut random, ink, &mut canvas, truth);
        }
        let noise = if random.chance(0.5) { random.between(0.02, 0.08) } else { 0.0 };
        let contrast = random.between(0.5, 1.0);
        let brightness = random.between(0.0, 1.0 - contrast);
        for (pixel, &painted) in picture.iter_mut().zip(canvas.values()) {
            let noisy = painted + noise * random.normal();
            *pixel = (255.0 * (brightness + contrast * noisy)).round().clamp(0.0, 255.0) as u8;
        }
    }

    /// One of the digits, up to twice as large, anywhere, unless it would lie on another one.
    fn digit(&self, random: &mut Random, ink: f32, canvas: &mut Canvas, truth: &mut [u8]) {
        let image = &self.digits[self.chosen[random.below(self.chosen.len())]];
        let scale = random.between(1.3, 2.0);
        let [top, left] = [self.digits.height(), self.digits.width()]
            .map(|size| random.between(0.0, (SIZE as f32 - scale * size as f32).max(0.0)));
        let coverage: Vec<f32> = canvas::positions()
            .map(|[row, column]| {
                // On the digit's own grid, whose pixels have their middles at whole numbers.
                let (y, x) = ((row - top) / scale - 0.5, (column - left) / scale - 0.5);
                canvas::bilinear(image, self.digits.width(), y, x)
            })
            .collect();
        let is_digit = |coverage: f32| coverage >= 0.5;
        if truth.iter().zip(&coverage).any(|(&class, &coverage)| class == 1 && is_digit(coverage)) {
            return;
        }
        for (index, &coverage) in coverage.iter().enumerate() {
            canvas.cover(index, coverage, ink);
            truth[index] |= u8::from(is_digit(coverage));
        }
    }
}

/// Light from one side.
fn gradient(random: &mut Random, canvas: &mut Canvas) {
    let (down, right) = (random.between(-0.25, 0.25), random.between(-0.25, 0.25));
    canvas.shade(|[row, column]| down * (row / SIZE as f32 - 0.5) + right * (column / SIZE as f32 - 0.5));
}

/// Soft spots.
fn blobs(random: &mut Random, canvas: &mut Canvas) {
    for _ in 0..random.between(2.0, 6.0) as usize {
        let [y, x] = random.point();
        let (radius, change) = (random.between(3.0, 12.0), random.between(-0.4, 0.4));
        canvas.shade(|[row, column]| {
            let distance = ((row - y).powi(2) + (column - x).powi(2)) / (radius * radius);
            change * (-distance).exp()
        });
    }
}

/// Straight and thin, across the picture.
fn lines(random: &mut Random, canvas: &mut Canvas) {
    for _ in 0..random.between(1.0, 5.0) as usize {
        let (from, to) = (random.point(), random.point());
        let shade = random.between(0.0, 1.0);
        canvas.stroke(from, to, random.between(0.5, 1.0), shade);
    }
}

/// Bent, as thick as those of a digit, and of any shade.
fn strokes(random: &mut Random, canvas: &mut Canvas) {
    const PIECES: usize = 12;
    for _ in 0..random.between(1.0, 4.0) as usize {
        let corners = [random.point(), random.point(), random.point()];
        let (radius, shade) = (random.between(1.0, 2.5), random.between(0.0, 1.0));
        let mut from = corners[0];
        for piece in 1..=PIECES {
            let to = canvas::bezier(corners, piece as f32 / PIECES as f32);
            canvas.stroke(from, to, radius, shade);
            from = to;
        }
    }
}

/// Draws as a picture needs them.
struct Random(Stream);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0.below(n)
    }

    fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.0.uniform()
    }

    fn chance(&mut self, probability: f32) -> bool {
        self.0.uniform() < probability
    }

    /// Row and column.
    fn point(&mut self) -> [f32; 2] {
        [(); 2].map(|()| self.between(0.0, SIZE as f32))
    }

    /// A shade that stands out from another: lighter or darker, where there is room for it.
    fn contrasting(&mut self, shade: f32) -> f32 {
        let difference = self.between(0.4, 0.65);
        let lighter = if self.chance(0.5) { shade + difference <= 1.0 } else { shade - difference < 0.0 };
        if lighter { shade + difference } else { shade - difference }
    }

    /// Roughly normal, with mean 0 and variance 1.
    fn normal(&mut self) -> f32 {
        // The sum of twelve draws, each of variance 1/12.
        (0..12).map(|_| self.0.uniform()).sum::<f32>() - 6.0
    }
}
