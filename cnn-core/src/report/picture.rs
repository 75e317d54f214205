//! Pictures, in colours that tell values, and as PNG.

use core::fmt::Write;
use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::Error;

/// A picture in colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    /// Red, green, blue and opacity, row after row.
    pixels: Vec<[u8; 4]>,
}

/// Colours, and the number of each.
#[derive(Default)]
struct Palette {
    colours: Vec<[u8; 4]>,
    indices: HashMap<[u8; 4], u8>,
}

impl Picture {
    /// From grey values, row after row: pixels `[height, width]`.
    ///
    /// # Errors
    ///
    /// [`Error::Picture`] when they are not so many, or none.
    pub fn grey(width: usize, height: usize, pixels: &[u8]) -> Result<Self, Error> {
        let colours = pixels.iter().map(|grey| [*grey, *grey, *grey, 255]).collect();
        Self::checked(width, height, 1, pixels.len(), colours)
    }

    /// From red, green and blue: pixels `[height, width, 3]`.
    ///
    /// # Errors
    ///
    /// [`Error::Picture`] when they are not so many, or none.
    pub fn rgb(width: usize, height: usize, pixels: &[u8]) -> Result<Self, Error> {
        let colours = pixels.chunks_exact(3).map(|rgb| [rgb[0], rgb[1], rgb[2], 255]).collect();
        Self::checked(width, height, 3, pixels.len(), colours)
    }

    /// From values, the least of which is dark and the greatest light: `[height, width]`, or `[height, width, 3]` of red, green
    /// and blue. What is not finite is red.
    ///
    /// # Errors
    ///
    /// [`Error::Picture`] when they are not so many, or none.
    pub fn of_values(width: usize, height: usize, values: &[f32]) -> Result<Self, Error> {
        let scale = Scale::of(values.iter().copied());
        let grey: Vec<u8> =
            values.iter().map(|value| (255.0 * scale.of_value(*value).unwrap_or(0.0)).round() as u8).collect();
        let is_colour = width.checked_mul(height).and_then(|pixels| pixels.checked_mul(3)) == Some(values.len());
        let mut picture = if is_colour { Self::rgb(width, height, &grey)? } else { Self::grey(width, height, &grey)? };
        let channels = if is_colour { 3 } else { 1 };
        for (pixel, values) in picture.pixels.iter_mut().zip(values.chunks_exact(channels)) {
            if !values.iter().all(|value| value.is_finite()) {
                *pixel = NOT_FINITE;
            }
        }
        Ok(picture)
    }

    fn checked(
        width: usize,
        height: usize,
        channels: usize,
        found: usize,
        pixels: Vec<[u8; 4]>,
    ) -> Result<Self, Error> {
        let expected = width.checked_mul(height).and_then(|pixels| pixels.checked_mul(channels));
        // What PNG can say.
        let is_some = (1..=i32::MAX as usize).contains(&width) && (1..=i32::MAX as usize).contains(&height);
        if !is_some || expected != Some(found) {
            return Err(Error::Picture { width, height, channels, found });
        }
        Ok(Self { width, height, pixels })
    }

    /// From what is known to fit.
    pub(super) fn from_fn(width: usize, height: usize, pixel: impl Fn(usize, usize) -> [u8; 4]) -> Self {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| pixel(x, y)).collect();
        Self { width, height, pixels }
    }

    /// Pixels of a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Red, green, blue and opacity.
    pub(super) fn pixel(&self, x: usize, y: usize) -> [u8; 4] {
        self.pixels[y * self.width + x]
    }

    /// Every pixel as a square of so many.
    pub(super) fn enlarged(&self, factor: usize) -> Self {
        Self::from_fn(self.width * factor, self.height * factor, |x, y| self.pixel(x / factor, y / factor))
    }

    /// Pictures of one size, beside one another in so many columns, each pixel of theirs a square of so many.
    pub(super) fn grid(pictures: &[Self], columns: usize, factor: usize) -> Option<Self> {
        const GAP: usize = 4;
        let first = pictures.first()?;
        let (width, height) = (first.width * factor + GAP, first.height * factor + GAP);
        let columns = columns.clamp(1, pictures.len());
        let rows = pictures.len().div_ceil(columns);
        Some(Self::from_fn(columns * width - GAP, rows * height - GAP, |x, y| {
            let inside = x % width < width - GAP && y % height < height - GAP;
            let picture = pictures.get(y / height * columns + x / width).filter(|_| inside);
            picture.map_or([0; 4], |picture| picture.pixel(x % width / factor, y % height / factor))
        }))
    }

    /// As a file in the format PNG: with a palette where it has few colours, as a file is a quarter as large so.
    /// <https://www.w3.org/TR/png-3/>
    pub fn png(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_depth(png::BitDepth::Eight);
        let palette = self.palette();
        let indices: Vec<u8>;
        let data = match &palette {
            Some(Palette { colours, indices: of }) => {
                encoder.set_color(png::ColorType::Indexed);
                encoder.set_palette(colours.iter().flat_map(|colour| colour[..3].to_vec()).collect::<Vec<_>>());
                encoder.set_trns(colours.iter().map(|colour| colour[3]).collect::<Vec<_>>());
                indices = self.pixels.iter().map(|pixel| of[pixel]).collect();
                &indices
            }
            None => {
                encoder.set_color(png::ColorType::Rgba);
                self.pixels.as_flattened()
            }
        };
        let written = encoder.write_header().and_then(|mut writer| {
            writer.write_image_data(data)?;
            writer.finish()
        });
        debug_assert!(written.is_ok(), "a picture is as large as it says, and writing to memory does not fail");
        bytes
    }

    /// Its colours and their numbers, if a byte has a number for each.
    fn palette(&self) -> Option<Palette> {
        let mut palette = Palette::default();
        for pixel in &self.pixels {
            if !palette.indices.contains_key(pixel) {
                palette.indices.insert(*pixel, u8::try_from(palette.colours.len()).ok()?);
                palette.colours.push(*pixel);
            }
        }
        Some(palette)
    }

    /// As an element of HTML that has the picture in it.
    pub(super) fn write_img(&self, html: &mut String, alt: &str) {
        let (width, height, alt) = (self.width, self.height, super::html::escape(alt));
        let data = STANDARD.encode(self.png());
        // Writing to a string cannot fail.
        let _ = write!(
            html,
            "<img width=\"{width}\" height=\"{height}\" alt=\"{alt}\" src=\"data:image/png;base64,{data}\">"
        );
    }
}

/// What is not finite.
const NOT_FINITE: [u8; 4] = [214, 39, 40, 255];

/// From values to shares of their range.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    least: f32,
    most: f32,
}

impl Scale {
    /// Of finite values.
    pub(super) fn of(values: impl Iterator<Item = f32>) -> Self {
        let [least, most] = values
            .filter(|value| value.is_finite())
            .fold([f32::INFINITY, f32::NEG_INFINITY], |[least, most], value| [least.min(value), most.max(value)]);
        Self { least, most }
    }

    /// With zero in the middle.
    pub(super) fn around_zero(values: impl Iterator<Item = f32>) -> Self {
        let Self { least, most } = Self::of(values);
        let most = least.abs().max(most.abs());
        Self { least: -most, most }
    }

    /// The share, from 0 to 1; 0 where all are alike, none of what is not finite.
    pub(super) fn of_value(self, value: f32) -> Option<f32> {
        if !value.is_finite() {
            return None;
        }
        // Halves, so that a difference of the greatest numbers is finite.
        let range = self.most / 2.0 - self.least / 2.0;
        Some(if range > 0.0 { ((value / 2.0 - self.least / 2.0) / range).clamp(0.0, 1.0) } else { 0.0 })
    }
}

/// The colour of a share, in matplotlib's viridis, which is as light as the share is great. <https://bids.github.io/colormap/>
pub(super) fn viridis(share: Option<f32>) -> [u8; 4] {
    const STOPS: [[u8; 3]; 9] = [
        [68, 1, 84],
        [71, 44, 122],
        [59, 81, 139],
        [44, 113, 142],
        [33, 144, 141],
        [39, 173, 129],
        [92, 200, 99],
        [170, 220, 50],
        [253, 231, 37],
    ];
    // As many colours as a palette has room for, beside the one of what is not finite and of nothing.
    const STEPS: f32 = 250.0;
    share.map_or(NOT_FINITE, |share| between(&STOPS, (share * STEPS).round() / STEPS))
}

/// The colour of a share, from black over red to yellow.
pub(super) fn heat(share: f32) -> [u8; 4] {
    between(&[[20, 11, 52], [132, 32, 107], [229, 92, 48], [246, 215, 70]], share)
}

fn between(stops: &[[u8; 3]], share: f32) -> [u8; 4] {
    let at = share.clamp(0.0, 1.0) * (stops.len() - 1) as f32;
    let first = (at as usize).min(stops.len().saturating_sub(2));
    let [from, to] = [stops[first], stops[first + 1]];
    let mix = |channel: usize| {
        let [from, to] = [from, to].map(|stop| f32::from(stop[channel]));
        (from + (to - from) * (at - first as f32)).round() as u8
    };
    [mix(0), mix(1), mix(2), 255]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With a palette, and with one colour more than it has room for.
    #[test]
    fn few_colours_and_many_are_the_same_pixels() {
        for colours in [1_usize, 2, 255, 256, 257, 1000] {
            let pixel = |x: usize, y: usize| {
                let colour = (x + 40 * y) % colours;
                [colour as u8, (colour >> 8) as u8, 7, if colour.is_multiple_of(5) { 0 } else { 255 }]
            };
            let picture = Picture::from_fn(40, 30, pixel);
            let mut decoder = png::Decoder::new(std::io::Cursor::new(picture.png()));
            decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::ALPHA);
            let mut reader = decoder.read_info().unwrap();
            assert_eq!(reader.info().palette.is_some(), colours <= 256, "{colours} colours");
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            reader.next_frame(&mut pixels).unwrap();
            assert!(pixels == picture.pixels.as_flattened(), "{colours} colours");
        }
    }

    #[test]
    fn another_number_of_pixels_is_an_error() {
        let error = Picture::grey(3, 2, &[0; 5]).unwrap_err();
        assert_eq!(error.to_string(), "a picture of 3 x 2 pixels with 1 value each: expected 6 values, found 5");
        let error = Picture::rgb(3, 2, &[0; 6]).unwrap_err();
        assert_eq!(error.to_string(), "a picture of 3 x 2 pixels with 3 values each: expected 18 values, found 6");
        for (width, height) in [(0, 0), (0, 2), (usize::MAX, 2)] {
            assert!(matches!(Picture::of_values(width, height, &[]), Err(Error::Picture { .. })));
        }
    }

    #[test]
    fn values_become_shares_of_their_range() {
        let picture = Picture::of_values(4, 1, &[-1.0, 0.0, 1.0, f32::NAN]).unwrap();
        assert_eq!(picture.pixels, [[0, 0, 0, 255], [128, 128, 128, 255], [255, 255, 255, 255], NOT_FINITE]);
        let alike = Picture::of_values(2, 1, &[3.0, 3.0]).unwrap();
        assert_eq!(alike.pixels, [[0, 0, 0, 255]; 2]);
        let extreme = Scale::of([f32::MIN, f32::MAX].into_iter());
        assert_eq!(extreme.of_value(0.0), Some(0.5));
    }

    #[test]
    fn a_grid_has_room_between() {
        let pictures = vec![Picture::grey(2, 2, &[7; 4]).unwrap(); 3];
        let grid = Picture::grid(&pictures, 2, 3).unwrap();
        assert_eq!([grid.width, grid.height], [16, 16]);
        assert_eq!([grid.pixel(5, 5)[3], grid.pixel(6, 0)[3], grid.pixel(15, 15)[3]], [255, 0, 0]);
        assert_eq!(Picture::grid(&[], 2, 3), None);
    }
}
