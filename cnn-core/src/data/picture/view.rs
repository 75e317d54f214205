//! Pictures that are borrowed: whole, or a rectangle of one.

/// Bytes of a picture, `[height, width, channels]`, each row behind the last by a stride.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pixels: &'a [u8],
    /// Bytes from a row to the next.
    stride: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) channels: usize,
}

impl<'a> View<'a> {
    /// All of it.
    pub(super) fn new(pixels: &'a [u8], [height, width]: [usize; 2], channels: usize) -> Self {
        assert_eq!(pixels.len(), height * width * channels);
        Self { pixels, stride: width * channels, height, width, channels }
    }

    /// Bytes of a row, `[width, channels]`.
    pub(super) fn row(&self, row: usize) -> &'a [u8] {
        &self.pixels[row * self.stride..][..self.width * self.channels]
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &'a [u8]> {
        let view = *self;
        (0..self.height).map(move |row| view.row(row))
    }

    /// The bytes of a pixel, one for each channel.
    pub(super) fn pixel(&self, row: usize, column: usize) -> &'a [u8] {
        &self.row(row)[column * self.channels..][..self.channels]
    }

    /// A rectangle, which lies inside.
    pub(super) fn rectangle(&self, [top, left]: [usize; 2], [height, width]: [usize; 2]) -> Self {
        assert!(top + height <= self.height && left + width <= self.width);
        let from = top * self.stride + left * self.channels;
        // Nothing of an empty one is read.
        let pixels = self.pixels.get(from..).unwrap_or_default();
        Self { pixels, height, width, ..*self }
    }
}
