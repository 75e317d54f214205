use super::affine::{self, Interpolation, Matrix};
use super::layer::{Buffers, Layer};
use super::{color, place, resize};

/// A picture on its way from a source to a network, and the mask of classes that may belong to it.
///
/// Whatever moves pixels moves both: the mask by the nearest pixel, so that its classes stay classes. What changes colours
/// changes the picture alone. Bytes are `[height, width, channels]`, those of a mask `[height, width]`. Methods that have a
/// name of torchvision's make the bytes that it makes of a PIL image.
///
/// ```
/// use cnn_core::data::Canvas;
///
/// let mut canvas = Canvas::default();
/// canvas.borrow_picture([1, 3], 1, &[1, 2, 3]);
/// canvas.borrow_mask(&[0, 0, 1]);
/// canvas.flip_horizontal();
/// canvas.crop([0, -1], [1, 3]);
/// assert_eq!((canvas.pixels(), canvas.mask()), (&[0, 3, 2][..], Some(&[0, 1, 0][..])));
/// ```
#[derive(Debug, Default)]
pub struct Canvas<'a> {
    picture: Layer<'a>,
    mask: Layer<'a>,
    has_mask: bool,
    /// The class of what moves into a mask from outside.
    outside: u8,
    between: Vec<u8>,
}

/// What a canvas works in, to be used again.
#[derive(Debug, Default)]
pub(in crate::data) struct Memory {
    picture: Buffers,
    mask: Buffers,
    between: Vec<u8>,
}

impl Memory {
    pub(in crate::data) fn canvas<'a>(self) -> Canvas<'a> {
        let (picture, mask) = (Layer::in_buffers(self.picture), Layer::in_buffers(self.mask));
        Canvas { picture, mask, between: self.between, ..Canvas::default() }
    }
}

impl<'a> Canvas<'a> {
    pub(in crate::data) fn into_memory(self) -> Memory {
        Memory { picture: self.picture.into_buffers(), mask: self.mask.into_buffers(), between: self.between }
    }

    /// Puts a picture there that lies in memory. It is not copied before something changes it.
    ///
    /// # Panics
    ///
    /// When there are not `height * width * channels` bytes.
    pub fn borrow_picture(&mut self, [height, width]: [usize; 2], channels: usize, pixels: &'a [u8]) {
        self.picture.borrow([height, width], channels, pixels);
        self.has_mask = false;
    }

    /// Puts a picture there that is written now: the bytes, which are to be written whole.
    pub fn write_picture(&mut self, [height, width]: [usize; 2], channels: usize) -> &mut [u8] {
        self.has_mask = false;
        self.picture.write([height, width], channels)
    }

    /// Puts a mask there that lies in memory, as large as the picture.
    ///
    /// # Panics
    ///
    /// When there are not `height * width` bytes.
    pub fn borrow_mask(&mut self, classes: &'a [u8]) {
        self.mask.borrow(self.picture.size, 1, classes);
        (self.has_mask, self.outside) = (true, 0);
    }

    /// Puts a mask there that is written now, as large as the picture: the bytes, which are to be written whole.
    pub fn write_mask(&mut self) -> &mut [u8] {
        (self.has_mask, self.outside) = (true, 0);
        self.mask.write(self.picture.size, 1)
    }

    /// Says which class moves into the mask from outside; without it, 0 does.
    pub fn set_outside(&mut self, class: u8) {
        self.outside = class;
    }

    /// Height and width.
    pub fn size(&self) -> [usize; 2] {
        self.picture.size
    }

    /// Bytes of a pixel.
    pub fn channels(&self) -> usize {
        self.picture.channels
    }

    /// The picture.
    pub fn pixels(&self) -> &[u8] {
        self.picture.pixels()
    }

    /// The picture, to be changed.
    pub fn pixels_mut(&mut self) -> &mut [u8] {
        self.picture.pixels_mut()
    }

    /// The class of each pixel, if there is a mask.
    pub fn mask(&self) -> Option<&[u8]> {
        self.has_mask.then(|| self.mask.pixels())
    }

    /// The class of each pixel, to be changed.
    pub fn mask_mut(&mut self) -> Option<&mut [u8]> {
        self.has_mask.then(|| self.mask.pixels_mut())
    }

    fn layers(&mut self) -> impl Iterator<Item = (&mut Layer<'a>, u8)> {
        let outside = self.outside;
        [Some((&mut self.picture, 0)), self.has_mask.then_some((&mut self.mask, outside))].into_iter().flatten()
    }

    /// The rectangle whose upper left corner is at this row and column; what lies outside of the picture is black.
    pub fn crop(&mut self, corner: [isize; 2], size: [usize; 2]) {
        if corner == [0, 0] && size == self.size() {
            return;
        }
        for (layer, fill) in self.layers() {
            layer.replace(size, layer.channels, |from, to| place::crop(from, corner, size, fill, to));
        }
    }

    /// Left becomes right.
    pub fn flip_horizontal(&mut self) {
        for (layer, _) in self.layers() {
            let (width, channels) = (layer.size[1], layer.channels);
            place::flip_horizontal(layer.pixels_mut(), width, channels);
        }
    }

    /// Top becomes bottom.
    pub fn flip_vertical(&mut self) {
        for (layer, _) in self.layers() {
            let height = layer.size[0];
            place::flip_vertical(layer.pixels_mut(), height);
        }
    }

    /// Rows become columns.
    pub(in crate::data) fn transpose(&mut self) {
        for (layer, _) in self.layers() {
            let [height, width] = layer.size;
            layer.replace([width, height], layer.channels, place::transpose);
        }
    }

    /// Another size, bilinear with antialiasing.
    pub fn resize(&mut self, size: [usize; 2]) {
        let whole = self.size();
        self.resized_crop([0, 0], whole, size);
    }

    /// [`crop`](Self::crop), and then [`resize`](Self::resize), of a rectangle that lies inside.
    ///
    /// # Panics
    ///
    /// When it does not.
    pub fn resized_crop(&mut self, corner: [usize; 2], rectangle: [usize; 2], size: [usize; 2]) {
        if corner == [0, 0] && rectangle == self.size() && size == rectangle {
            return;
        }
        let between = &mut self.between;
        self.picture.replace(size, self.picture.channels, |from, to| {
            resize::bilinear(from.rectangle(corner, rectangle), size, between, to);
        });
        if self.has_mask {
            self.mask.replace(size, 1, |from, to| resize::nearest(from.rectangle(corner, rectangle), size, to));
        }
    }

    /// Takes each pixel from where the matrix says; what comes from outside of the picture is black.
    pub fn affine(&mut self, matrix: &Matrix, interpolation: Interpolation) {
        let (size, outside) = (self.size(), self.outside);
        self.picture.replace(size, self.picture.channels, |from, to| {
            affine::transform(from, matrix, interpolation, 0, to);
        });
        if self.has_mask {
            self.mask.replace(size, 1, |from, to| {
                affine::transform(from, matrix, Interpolation::Nearest, outside, to);
            });
        }
    }

    /// Turned counter-clockwise around its middle, torchvision's `rotate`; what comes from outside of the picture is black.
    pub fn rotate(&mut self, degrees: f64, interpolation: Interpolation) {
        let (degrees, [height, width]) = (degrees.rem_euclid(360.0), self.size());
        // As PIL, which moves whole pixels where it can.
        if degrees == 180.0 {
            self.flip_horizontal();
            self.flip_vertical();
        } else if height == width && (degrees == 90.0 || degrees == 270.0) {
            self.transpose();
            if degrees == 90.0 { self.flip_vertical() } else { self.flip_horizontal() }
        } else if degrees != 0.0 {
            self.affine(&affine::rotation([height, width], degrees), interpolation);
        }
    }

    /// So many channels, 1 or 3, as PIL's `convert("L")` and `convert("RGB")` make them. Whether there is a way.
    #[must_use]
    pub fn convert(&mut self, channels: usize) -> bool {
        let (size, from) = (self.size(), self.channels());
        if from != channels && color::converts(from, channels) {
            self.picture.replace(size, channels, |from, to| color::convert(from, channels, to));
        }
        self.channels() == channels
    }

    /// torchvision's `adjust_brightness`: by 0 black, by 1 as it is.
    pub fn adjust_brightness(&mut self, factor: f64) {
        color::brightness(self.pixels_mut(), factor as f32);
    }

    /// torchvision's `adjust_contrast`: by 0 of one grey, by 1 as it is.
    pub fn adjust_contrast(&mut self, factor: f64) {
        let channels = self.channels();
        color::contrast(self.pixels_mut(), channels, factor as f32);
    }

    /// torchvision's `adjust_saturation`: by 0 grey, by 1 as it is. Pictures of other than 3 channels stay as they are.
    pub fn adjust_saturation(&mut self, factor: f64) {
        if self.channels() == 3 {
            color::saturation(self.pixels_mut(), factor as f32);
        }
    }

    /// torchvision's `adjust_hue`: turned by this share of a circle, -0.5 to 0.5. Pictures of other than 3 channels stay as they
    /// are.
    pub fn adjust_hue(&mut self, factor: f64) {
        if self.channels() == 3 {
            color::hue(self.pixels_mut(), factor);
        }
    }
}
