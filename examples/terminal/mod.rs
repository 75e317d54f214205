//! What an example shows in a terminal: progress of a training, and images.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar with loss and images per second; where there is no terminal, a line an epoch.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    start: Instant,
    epochs: u64,
    images: usize,
    loss: f32,
}

/// How much of the mean loss that is shown comes from the latest batch.
const LATEST: f32 = 0.05;

impl Progress {
    /// The clock starts now.
    pub fn new(epochs: u64, batches_per_epoch: usize) -> Self {
        let style =
            ProgressStyle::with_template("epoch {prefix}  {bar:32}  {elapsed}  {msg}").expect("a valid template");
        let bar = ProgressBar::new(epochs * batches_per_epoch as u64).with_style(style);
        Self { bar, start: Instant::now(), epochs, images: 0, loss: f32::NAN }
    }

    /// After a batch of so many images.
    pub fn step(&mut self, images: usize, loss: f32) {
        self.images += images;
        self.loss = if self.loss.is_nan() { loss } else { self.loss + LATEST * (loss - self.loss) };
        self.bar.set_message(self.message());
        self.bar.inc(1);
    }

    /// Before the first batch of an epoch.
    pub fn epoch(&self, epoch: u64) {
        self.bar.set_prefix(format!("{}/{}", epoch + 1, self.epochs));
    }

    /// After the last batch of an epoch.
    pub fn end_of_epoch(&self, epoch: u64) {
        if self.bar.is_hidden() {
            println!("epoch {}/{}: {}", epoch + 1, self.epochs, self.message());
        }
    }

    /// Replaces the bar with a line that stays.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
        println!("trained in {:.1} s, {}", self.start.elapsed().as_secs_f64(), self.message());
    }

    fn message(&self) -> String {
        let rate = self.images as f64 / self.start.elapsed().as_secs_f64();
        format!("loss {:.4}, {rate:.0} images/s", self.loss)
    }
}

/// A grey image with a caption below it.
#[derive(Debug)]
pub struct Picture<'a> {
    /// Row-major; 0 is paper.
    pub pixels: &'a [u8],
    /// Pixels of a row.
    pub width: usize,
    /// At most half as many characters as a row has pixels.
    pub caption: String,
}

/// Between two pictures.
const GAP: &str = "  ";

/// Draws pictures of one size side by side, in Braille: a character is two pixels wide and four high, and a dot is ink.
pub fn draw(pictures: &[Picture<'_>]) -> String {
    let height = pictures.iter().map(|picture| picture.pixels.len() / picture.width).max().unwrap_or(0);
    let mut lines = Vec::new();
    for row in (0..height).step_by(4) {
        let of_one = |picture: &Picture<'_>| -> String {
            (0..picture.width).step_by(2).map(|column| braille(picture, row, column)).collect()
        };
        lines.push(pictures.iter().map(of_one).collect::<Vec<_>>().join(GAP));
    }
    let caption = |picture: &Picture<'_>| format!("{:^1$}", picture.caption, picture.width.div_ceil(2));
    lines.push(pictures.iter().map(caption).collect::<Vec<_>>().join(GAP));
    lines.join("\n")
}

/// The dots of a Braille character in the order of the bits in their code points: as `[row, column]`.
const DOTS: [[usize; 2]; 8] = [[0, 0], [1, 0], [2, 0], [0, 1], [1, 1], [2, 1], [3, 0], [3, 1]];

fn braille(picture: &Picture<'_>, row: usize, column: usize) -> char {
    let mut code = 0x2800;
    for (bit, [down, right]) in DOTS.into_iter().enumerate() {
        let (row, column) = (row + down, column + right);
        let pixel = if column < picture.width { picture.pixels.get(row * picture.width + column) } else { None };
        code |= u32::from(pixel.is_some_and(|&pixel| pixel >= 128)) << bit;
    }
    char::from_u32(code).expect("U+2800 to U+28FF are characters")
}
