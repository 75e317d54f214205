//! Pictures from PNG and JPEG files, which are not trusted.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use png::{BitDepth, ColorType, Transformations};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::data::{Canvas, DataError};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG: &[u8] = &[0xff, 0xd8, 0xff];

/// How files become pictures.
///
/// A few bytes can announce very many pixels, so there is a limit to them; memory is asked for once it is held. A file that is cut
/// short, or whose bytes are not what they were, is an error, not a picture with a grey rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoding {
    max_pixels: usize,
    orientation: bool,
}

impl Default for Decoding {
    fn default() -> Self {
        // PIL's MAX_IMAGE_PIXELS: a quarter of a gigabyte in RGB.
        Self { max_pixels: 89_478_485, orientation: true }
    }
}

impl Decoding {
    /// Up to 89,478,485 pixels, as PIL allows without a warning, and turned as the camera says.
    pub fn new() -> Self {
        Self::default()
    }

    /// Up to so many pixels.
    #[must_use]
    pub fn max_pixels(self, max_pixels: usize) -> Self {
        Self { max_pixels, ..self }
    }

    /// As the file has it, whatever its EXIF orientation says: what torchvision's `ImageFolder` does.
    #[must_use]
    pub fn ignore_orientation(self) -> Self {
        Self { orientation: false, ..self }
    }

    /// Puts the picture of a file on a canvas: grey, RGB, or either with an alpha channel.
    ///
    /// # Errors
    ///
    /// [`DataError::Io`]; [`DataError::Format`] of a file that is neither PNG nor JPEG by how it begins; [`DataError::Pixels`] of one that
    /// announces too many; [`DataError::Decode`] of a broken one.
    pub fn read(&self, path: &Path, canvas: &mut Canvas<'_>) -> Result<(), DataError> {
        self.decode(path, &read(path)?, canvas)
    }

    /// [`read`](Self::read) of a file's bytes, say from an archive; `path` is for messages.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn decode(&self, path: &Path, bytes: &[u8], canvas: &mut Canvas<'_>) -> Result<(), DataError> {
        let orientation = if bytes.starts_with(PNG) {
            self.png(path, bytes, canvas)?
        } else if bytes.starts_with(JPEG) {
            self.jpeg(path, bytes, canvas)?
        } else {
            return Err(unknown(path, bytes));
        };
        if self.orientation {
            turn(canvas, orientation);
        }
        Ok(())
    }

    /// Puts the mask of a PNG file on a canvas, behind its picture, whose file is `picture`: grey bytes, or the numbers of a palette.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read); [`DataError::MaskKind`] of colours or of 16 bits; [`DataError::MaskSize`] of another size than the picture's.
    pub fn read_mask(&self, path: &Path, picture: &Path, canvas: &mut Canvas<'_>) -> Result<(), DataError> {
        self.decode_mask(path, &read(path)?, picture, canvas)
    }

    /// [`read_mask`](Self::read_mask) of a file's bytes.
    ///
    /// # Errors
    ///
    /// As [`read_mask`](Self::read_mask).
    pub fn decode_mask(
        &self,
        path: &Path,
        bytes: &[u8],
        picture: &Path,
        canvas: &mut Canvas<'_>,
    ) -> Result<(), DataError> {
        if !bytes.starts_with(PNG) {
            return Err(unknown(path, bytes));
        }
        let broken = |problem| broken_png(path, &problem);
        let mut reader = self.reader(path, bytes, Transformations::IDENTITY)?;
        let (color, depth) = reader.output_color_type();
        if !matches!(color, ColorType::Grayscale | ColorType::Indexed) || depth == BitDepth::Sixteen {
            let found = format!("{color:?} of {} bits", depth as u8);
            return Err(DataError::MaskKind { path: path.into(), found });
        }
        let found = [reader.info().height as usize, reader.info().width as usize];
        let expected = canvas.size();
        if found != expected {
            return Err(DataError::MaskSize { path: path.into(), picture: picture.into(), expected, found });
        }
        let mask = canvas.write_mask();
        if depth == BitDepth::Eight {
            reader.next_frame(mask).map_err(broken)?;
        } else {
            let mut packed = vec![0; reader.output_buffer_size().unwrap_or_default()];
            reader.next_frame(&mut packed).map_err(broken)?;
            let bits = depth as usize;
            let stride = (found[1] * bits).div_ceil(8);
            for (row, packed) in mask.chunks_exact_mut(found[1]).zip(packed.chunks_exact(stride)) {
                for (column, class) in row.iter_mut().enumerate() {
                    // The first pixel is in the highest bits.
                    let shift = 8 - bits - column * bits % 8;
                    *class = packed[column * bits / 8] >> shift & ((1 << bits) - 1) as u8;
                }
            }
        }
        reader.finish().map_err(broken)
    }

    fn allow(&self, path: &Path, height: usize, width: usize) -> Result<(), DataError> {
        let found = height.saturating_mul(width);
        if found > self.max_pixels {
            return Err(DataError::Pixels { path: path.into(), limit: self.max_pixels, found });
        }
        Ok(())
    }

    fn reader<'a>(
        &self,
        path: &Path,
        bytes: &'a [u8],
        transformations: Transformations,
    ) -> Result<png::Reader<Cursor<&'a [u8]>>, DataError> {
        let mut decoder = png::Decoder::new(Cursor::new(bytes));
        decoder.set_transformations(transformations);
        decoder.set_ignore_text_chunk(true);
        let broken = |problem| broken_png(path, &problem);
        let header = decoder.read_header_info().map_err(broken)?;
        self.allow(path, header.height as usize, header.width as usize)?;
        // Of rows and chunks; what is written into is counted above.
        decoder.set_limits(png::Limits { bytes: self.max_pixels.saturating_mul(8) });
        let reader = decoder.read_info().map_err(broken)?;
        // The decoder (0.18) takes the length of a palette for sound, and panics where it is not.
        match reader.info().palette.as_deref().map_or(0, <[u8]>::len) {
            len if len.is_multiple_of(3) => Ok(reader),
            len => {
                let problem = format!("expected a palette of 3 bytes for each colour, found {len} bytes");
                Err(DataError::Decode { path: path.into(), format: "PNG", problem })
            }
        }
    }

    /// Returns the orientation.
    fn png(&self, path: &Path, bytes: &[u8], canvas: &mut Canvas<'_>) -> Result<u16, DataError> {
        let broken = |problem| broken_png(path, &problem);
        // Palettes become colours, and 1 to 4 bits 8.
        let mut reader = self.reader(path, bytes, Transformations::EXPAND)?;
        let (color, depth) = reader.output_color_type();
        let size = [reader.info().height as usize, reader.info().width as usize];
        let channels = color.samples();
        let picture = canvas.write_picture(size, channels);
        if depth == BitDepth::Sixteen {
            let mut words = vec![0; 2 * picture.len()];
            reader.next_frame(&mut words).map_err(broken)?;
            for (byte, &[high, low]) in picture.iter_mut().zip(words.as_chunks().0) {
                // As PIL: grey is cut off at 255, colours keep their upper half.
                *byte = if color == ColorType::Grayscale && high == 0 {
                    low
                } else if color == ColorType::Grayscale {
                    255
                } else {
                    high
                };
            }
        } else {
            reader.next_frame(picture).map_err(broken)?;
        }
        let orientation = reader.info().exif_metadata.as_deref().map_or(1, orientation);
        reader.finish().map_err(broken)?;
        Ok(orientation)
    }

    /// Returns the orientation.
    fn jpeg(&self, path: &Path, bytes: &[u8], canvas: &mut Canvas<'_>) -> Result<u16, DataError> {
        let broken = |problem: &dyn std::fmt::Display| DataError::Decode {
            path: path.into(),
            format: "JPEG",
            problem: problem.to_string(),
        };
        let options = DecoderOptions::default()
            .set_strict_mode(true)
            .set_max_width(usize::from(u16::MAX))
            .set_max_height(usize::from(u16::MAX));
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
        decoder.decode_headers().map_err(|problem| broken(&problem))?;
        let (width, height) = decoder.dimensions().ok_or_else(|| broken(&"no size"))?;
        self.allow(path, height, width)?;
        let grey = decoder.input_colorspace() == Some(ColorSpace::Luma);
        let (channels, color) = if grey { (1, ColorSpace::Luma) } else { (3, ColorSpace::RGB) };
        decoder.set_options(options.jpeg_set_out_colorspace(color));
        let picture = canvas.write_picture([height, width], channels);
        decoder.decode_into(picture).map_err(|problem| broken(&problem))?;
        Ok(decoder.exif().map_or(1, |exif| orientation(exif)))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    fs::read(path).map_err(|error| DataError::Io { path: path.into(), error })
}

fn unknown(path: &Path, bytes: &[u8]) -> DataError {
    DataError::Format { path: path.into(), found: bytes[..bytes.len().min(PNG.len())].to_vec() }
}

fn broken_png(path: &Path, problem: &png::DecodingError) -> DataError {
    DataError::Decode { path: path.into(), format: "PNG", problem: problem.to_string() }
}

/// How a picture is turned, 1 to 8; 1, as it is, where nothing sensible says so. `exif` is a TIFF.
/// <https://www.cipa.jp/std/documents/e/DC-X008-Translation-2019-E.pdf>, tag 274.
fn orientation(exif: &[u8]) -> u16 {
    const ORIENTATION: u16 = 274;
    const SHORT: u16 = 3;
    let find = || {
        let big = match exif.get(..4)? {
            b"II*\0" => false,
            b"MM\0*" => true,
            _ => return None,
        };
        let bytes = |at: usize, count: usize| exif.get(at..at.checked_add(count)?);
        let short = |at: usize| {
            let bytes = bytes(at, 2)?.try_into().ok()?;
            Some(if big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
        };
        let first: [u8; 4] = bytes(4, 4)?.try_into().ok()?;
        let first = if big { u32::from_be_bytes(first) } else { u32::from_le_bytes(first) } as usize;
        let entries = usize::from(short(first)?);
        (0..entries).map(|entry| first + 2 + 12 * entry).find_map(|entry| {
            let is_orientation = short(entry)? == ORIENTATION && short(entry + 2)? == SHORT;
            short(entry + 8).filter(|_| is_orientation)
        })
    };
    find().filter(|orientation| (1..=8).contains(orientation)).unwrap_or(1)
}

/// Turns a picture as PIL's `exif_transpose` does.
fn turn(canvas: &mut Canvas<'_>, orientation: u16) {
    if orientation >= 5 {
        canvas.transpose();
    }
    if matches!(orientation, 2 | 3 | 6 | 7) {
        canvas.flip_horizontal();
    }
    if matches!(orientation, 3 | 4 | 7 | 8) {
        canvas.flip_vertical();
    }
}
