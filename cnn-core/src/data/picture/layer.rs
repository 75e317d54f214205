//! What is transformed: pixels that are borrowed until something changes them, and memory for the changes.

use super::view::View;

/// A picture, or a mask, and two buffers that every change moves it between.
#[derive(Debug, Default)]
pub(super) struct Layer<'a> {
    pub(super) size: [usize; 2],
    pub(super) channels: usize,
    /// Pixels of someone else's that nothing has changed yet.
    borrowed: Option<&'a [u8]>,
    /// The pixels, where they are not borrowed.
    front: Vec<u8>,
    back: Vec<u8>,
}

/// The buffers of a layer, to be used again.
pub(super) type Buffers = [Vec<u8>; 2];

impl<'a> Layer<'a> {
    pub(super) fn in_buffers([front, back]: Buffers) -> Self {
        Self { front, back, ..Self::default() }
    }

    pub(super) fn into_buffers(self) -> Buffers {
        [self.front, self.back]
    }

    pub(super) fn borrow(&mut self, size: [usize; 2], channels: usize, pixels: &'a [u8]) {
        assert_eq!(pixels.len(), size[0] * size[1] * channels);
        (self.size, self.channels, self.borrowed) = (size, channels, Some(pixels));
    }

    /// Pixels to be written whole: they hold what was there before.
    pub(super) fn write(&mut self, size: [usize; 2], channels: usize) -> &mut [u8] {
        (self.size, self.channels, self.borrowed) = (size, channels, None);
        self.front.resize(size[0] * size[1] * channels, 0);
        &mut self.front
    }

    pub(super) fn pixels(&self) -> &[u8] {
        self.borrowed.unwrap_or(&self.front)
    }

    pub(super) fn pixels_mut(&mut self) -> &mut [u8] {
        if let Some(pixels) = self.borrowed.take() {
            self.front.clear();
            self.front.extend_from_slice(pixels);
        }
        &mut self.front
    }

    /// Another picture in its place, which `make` writes whole from what there is.
    pub(super) fn replace(&mut self, size: [usize; 2], channels: usize, make: impl FnOnce(View<'_>, &mut [u8])) {
        let pixels = self.borrowed.unwrap_or(&self.front);
        self.back.resize(size[0] * size[1] * channels, 0);
        make(View::new(pixels, self.size, self.channels), &mut self.back);
        std::mem::swap(&mut self.front, &mut self.back);
        (self.size, self.channels, self.borrowed) = (size, channels, None);
    }
}
