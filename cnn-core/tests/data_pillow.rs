//! Transforms and decoded files against what Pillow and torchvision make of them, byte by byte: `fixtures/data.py` wrote it.

use std::path::{Path, PathBuf};

use cnn_core::data::*;

const HEIGHT: usize = 13;
const WIDTH: usize = 17;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// `picture` of `fixtures/data.py`.
fn picture(height: usize, width: usize, channels: usize) -> Vec<u8> {
    let value = |y, x, c| (x * (5 + 2 * c) + y * (3 + 4 * c) + (x * y) % 23 * 4 + c * 80) % 256;
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            pixels.extend((0..channels).map(|c| value(y, x, c) as u8));
        }
    }
    pixels
}

/// What Pillow made, one result behind the other.
struct Expected {
    bytes: Vec<u8>,
    at: usize,
}

impl Expected {
    fn new() -> Self {
        let array = Npy::read(fixtures().join("pillow.npy")).unwrap();
        let NpyValues::Bytes(bytes) = array.values().clone() else { panic!("other numbers") };
        Self { bytes, at: 0 }
    }

    /// Holds that the next result is this one, up to a difference.
    fn check(&mut self, found: &[u8], tolerance: u8, what: &str) {
        let expected = &self.bytes[self.at..][..found.len()];
        self.at += found.len();
        for (place, (&found, &expected)) in found.iter().zip(expected).enumerate() {
            assert!(found.abs_diff(expected) <= tolerance, "{what}: byte {place}: expected {expected}, found {found}");
        }
    }
}

/// What is made of a picture.
fn made(pixels: &[u8], size: [usize; 2], make: impl FnOnce(&mut Canvas<'_>)) -> Vec<u8> {
    let mut canvas = Canvas::default();
    canvas.borrow_picture(size, pixels.len() / (size[0] * size[1]), pixels);
    make(&mut canvas);
    canvas.pixels().to_vec()
}

/// What is made of a mask.
fn mask_made(classes: &[u8], size: [usize; 2], make: impl FnOnce(&mut Canvas<'_>)) -> Vec<u8> {
    let mut canvas = Canvas::default();
    canvas.borrow_picture(size, 1, classes);
    canvas.borrow_mask(classes);
    make(&mut canvas);
    canvas.mask().unwrap().to_vec()
}

#[test]
fn transforms_make_the_bytes_that_torchvision_makes_of_pil_images() {
    let mut expected = Expected::new();
    let size = [HEIGHT, WIDTH];
    let (color, grey, square) = (picture(HEIGHT, WIDTH, 3), picture(HEIGHT, WIDTH, 1), picture(11, 11, 3));
    let mut draw = Draw::new(0, 0, 0, 0);

    for to in [[6, 9], [8, 13], [28, 22], [13, 6], [5, 17], [1, 1], [40, 3]] {
        expected.check(&made(&color, size, |canvas| canvas.resize(to)), 0, &format!("resize {to:?}"));
        expected.check(&made(&grey, size, |canvas| canvas.resize(to)), 0, &format!("resize {to:?}"));
        expected.check(&mask_made(&grey, size, |canvas| canvas.resize(to)), 0, &format!("nearest {to:?}"));
    }
    for [height, width] in [[12, 12], [14, 11], [15, 20], [4, 5]] {
        let crop = CenterCrop::of(height, width);
        let found = made(&color, size, |canvas| crop.apply(canvas, &mut draw).unwrap());
        expected.check(&found, 0, &format!("center crop {height} x {width}"));
    }
    let crop = |canvas: &mut Canvas<'_>| canvas.resized_crop([3, 5], [9, 11], [7, 7]);
    expected.check(&made(&color, size, crop), 0, "resized crop");
    expected.check(&mask_made(&grey, size, crop), 0, "resized crop of a mask");

    let both = [Interpolation::Nearest, Interpolation::Bilinear];
    for (pixels, size) in [(&color, size), (&grey, size), (&square, [11, 11])] {
        for angle in [0.0, 90.0, 180.0, 270.0, -90.0, 30.0, 45.5, -7.25, 359.0, 720.5] {
            for interpolation in both {
                let found = made(pixels, size, |canvas| canvas.rotate(angle, interpolation));
                expected.check(&found, 0, &format!("rotate {angle} {interpolation:?} of {size:?}"));
            }
        }
    }
    for (angle, translate, scale, shear) in [
        (0.0, [3.0, -2.0], 1.0, [0.0, 0.0]),
        (0.0, [0.0, 0.0], 1.3, [0.0, 0.0]),
        (25.0, [0.0, 0.0], 1.0, [0.0, 0.0]),
        (-40.0, [3.0, 4.0], 0.8, [0.0, 0.0]),
        (10.0, [1.0, 0.0], 1.1, [12.0, 0.0]),
        (10.0, [0.0, 4.0], 0.6, [-8.0, 17.0]),
    ] {
        for pixels in [&color, &grey] {
            for interpolation in both {
                let matrix = affine_matrix(size, angle, translate, scale, shear);
                let found = made(pixels, size, |canvas| canvas.affine(&matrix, interpolation));
                expected.check(&found, 0, &format!("affine {angle} {translate:?} {scale} {shear:?} {interpolation:?}"));
            }
        }
    }
    for factor in [0.0, 0.3, 1.0, 3.5] {
        for pixels in [&color, &grey] {
            let found = made(pixels, size, |canvas| canvas.adjust_brightness(factor));
            expected.check(&found, 0, &format!("brightness {factor}"));
            let found = made(pixels, size, |canvas| canvas.adjust_contrast(factor));
            expected.check(&found, 0, &format!("contrast {factor}"));
            let found = made(pixels, size, |canvas| canvas.adjust_saturation(factor));
            expected.check(&found, 0, &format!("saturation {factor}"));
        }
    }
    for factor in [-0.5, -0.13, 0.0, 0.002, 0.27, 0.5] {
        let found = made(&color, size, |canvas| canvas.adjust_hue(factor));
        expected.check(&found, 0, &format!("hue {factor}"));
    }
    files(&mut expected);
    assert_eq!(expected.at, expected.bytes.len());
}

fn files(expected: &mut Expected) {
    let mut check = |name: &str, size: [usize; 2], tolerance: u8| {
        for channels in [3, 1] {
            let found = decoded(&fixtures().join("pictures").join(name), size, channels);
            expected.check(&found, tolerance, &format!("{name} in {channels} channels"));
        }
    };
    for name in ["rgb", "grey", "rgba", "grey_alpha", "palette4", "palette8_transparent", "bits1", "grey16"] {
        check(&format!("{name}.png"), [9, 13], 0);
    }
    for orientation in 1..=8 {
        check(&format!("turned{orientation}.png"), if orientation < 5 { [5, 7] } else { [7, 5] }, 0);
    }
    // Decoders round the inverse cosine transform differently; and interpolated colours by more, as ours have fewer bits.
    for (name, size, tolerance) in [
        ("turned6", [24, 18], 8),
        ("rgb", [18, 24], 2),
        ("subsampled", [18, 24], 8),
        ("progressive", [18, 24], 8),
        ("grey", [18, 24], 2),
        ("restarts", [18, 24], 8),
        ("cmyk", [18, 24], 8),
    ] {
        check(&format!("{name}.jpg"), size, tolerance);
    }
}

/// A file, in so many channels.
fn decoded(file: &Path, size: [usize; 2], channels: usize) -> Vec<u8> {
    let mut canvas = Canvas::default();
    Decoding::new().read(file, &mut canvas).unwrap();
    assert!(canvas.convert(channels));
    assert_eq!(canvas.size(), size, "{}", file.display());
    canvas.pixels().to_vec()
}
