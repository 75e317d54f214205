//! NumPy's arrays, `.npy`. <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>

use std::fs;
use std::path::{Path, PathBuf};

use super::Images;
use crate::data::{Class, DataError};
use crate::shape::{Shape, Sizes};
use crate::tensor::Batch;

const MAGIC: [u8; 6] = *b"\x93NUMPY";

/// An array of NumPy's, as `numpy.save` writes it.
///
/// ```
/// use cnn_core::data::{LabelledImages, Npy};
/// # use cnn_core::data::DataError;
/// # fn read() -> Result<(), DataError> {
/// let images = Npy::read("images.npy")?.into_images()?;   // uint8, [n, h, w] or [n, h, w, channels]
/// let labels = Npy::read("labels.npy")?.into_labels()?;   // whole numbers, [n]
/// let set = LabelledImages::<10>::new(images, labels)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Npy {
    path: PathBuf,
    shape: Vec<usize>,
    values: NpyValues,
}

/// The numbers of an array, row-major.
#[derive(Clone, Debug, PartialEq)]
pub enum NpyValues {
    /// `uint8` and `bool`.
    Bytes(Vec<u8>),
    /// Whole numbers of 8 to 64 bits.
    Integers(Vec<i64>),
    /// `float32`, and `float64` rounded to it.
    Floats(Vec<f32>),
}

impl Npy {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// [`DataError::Io`]; [`DataError::NpyMagic`], [`DataError::NpyHeader`] and [`DataError::NpyType`] of a header that is none or says what
    /// is not read here; [`DataError::Empty`] of an array without values; [`DataError::Truncated`] and [`DataError::TrailingBytes`] of
    /// one of another length; [`DataError::TooLarge`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(|error| DataError::Io { path: path.into(), error })?;
        Self::parse(path, &bytes)
    }

    /// The same from bytes; `path` is for messages.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn parse(path: impl AsRef<Path>, bytes: &[u8]) -> Result<Self, DataError> {
        let path = path.as_ref().to_owned();
        let Some(rest) = bytes.strip_prefix(&MAGIC) else {
            let found = bytes[..bytes.len().min(MAGIC.len())].to_vec();
            return Err(DataError::NpyMagic { path, found });
        };
        let truncated = |part, expected, found| DataError::Truncated { path: path.clone(), part, expected, found };
        let (len, rest) = match *rest {
            [1, 0, a, b, ref rest @ ..] => (usize::from(u16::from_le_bytes([a, b])), rest),
            [2 | 3, 0, a, b, c, d, ref rest @ ..] => (u32::from_le_bytes([a, b, c, d]) as usize, rest),
            [1, 0, ..] | [2 | 3, 0, ..] | [] | [_] => return Err(truncated("header", 10, bytes.len())),
            [major, minor, ..] => {
                let found = format!("{major}.{minor}");
                return Err(DataError::NpyHeader { path, expected: "version 1.0, 2.0 or 3.0", found });
            }
        };
        let Some((header, data)) = rest.split_at_checked(len) else {
            return Err(truncated("header", len, rest.len()));
        };
        let wrong = |(expected, found)| DataError::NpyHeader { path: path.clone(), expected, found };
        let header = Header::parse(header).map_err(wrong)?;
        let count = header.shape.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
        let Some(count) = count.filter(|&count| count <= isize::MAX as usize / 8) else {
            return Err(DataError::TooLarge { path, found: header.shape });
        };
        if count == 0 {
            return Err(DataError::Empty { path, found: header.shape });
        }
        let Some(number) = Number::of(&header.descr) else {
            let expected = "bool, int8 to int64, uint8 to uint64, float32 or float64";
            return Err(DataError::NpyType { path, expected, found: header.descr });
        };
        let expected = count * number.size;
        if data.len() < expected {
            return Err(truncated("data", expected, data.len()));
        }
        if data.len() > expected {
            return Err(DataError::TrailingBytes { path, expected });
        }
        let values = number.values(data, &path)?;
        let values = if header.fortran_order { values.row_major(&header.shape) } else { values };
        Ok(Self { path, shape: header.shape, values })
    }

    /// The sizes, outermost first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The numbers, row-major.
    pub fn values(&self) -> &NpyValues {
        &self.values
    }

    /// It as images: bytes, `[n, h, w]` or `[n, h, w, channels]`.
    ///
    /// # Errors
    ///
    /// [`DataError::NpyType`] of other numbers, [`DataError::NpySizes`] of other sizes.
    pub fn into_images(self) -> Result<Images, DataError> {
        let NpyValues::Bytes(pixels) = self.values else {
            return Err(DataError::NpyType { path: self.path, expected: "uint8", found: self.values.name().into() });
        };
        match *self.shape {
            [_, height, width] => Images::named(&self.path, 1, [height, width], pixels),
            [_, height, width, channels] => Images::named(&self.path, channels, [height, width], pixels),
            _ => {
                let expected = "[n, h, w] or [n, h, w, channels]".to_owned();
                Err(DataError::NpySizes { path: self.path, expected, found: self.shape })
            }
        }
    }

    /// It as labels below 256: whole numbers, `[n]`.
    ///
    /// # Errors
    ///
    /// [`DataError::NpyType`] of other numbers, [`DataError::NpySizes`] of other sizes, [`DataError::NpyValue`] of a number that is none of
    /// these.
    pub fn into_labels(self) -> Result<Vec<u8>, DataError> {
        self.whole_numbers(|found| u8::try_from(found).ok(), 256)
    }

    /// It as classes: whole numbers, `[n]`.
    ///
    /// # Errors
    ///
    /// As [`into_labels`](Self::into_labels).
    pub fn into_classes<const CLASSES: usize>(self) -> Result<Vec<Class<CLASSES>>, DataError> {
        self.whole_numbers(|found| (found < CLASSES).then_some(Class(found)), CLASSES)
    }

    fn whole_numbers<T>(self, of: impl Fn(usize) -> Option<T>, classes: usize) -> Result<Vec<T>, DataError> {
        let Self { path, shape, values } = self;
        if shape.len() != 1 {
            return Err(DataError::NpySizes { path, expected: "[n]".to_owned(), found: shape });
        }
        let number = |(index, value): (usize, i64)| {
            let wrong = || DataError::NpyValue { path: path.clone(), index, classes, found: value.to_string() };
            usize::try_from(value).ok().and_then(&of).ok_or_else(wrong)
        };
        match values {
            NpyValues::Bytes(bytes) => bytes.into_iter().map(i64::from).enumerate().map(number).collect(),
            NpyValues::Integers(integers) => integers.into_iter().enumerate().map(number).collect(),
            NpyValues::Floats(_) => {
                Err(DataError::NpyType { path, expected: "whole numbers", found: values.name().into() })
            }
        }
    }

    /// It as samples in PyTorch's order: numbers with a fraction, `[n, c, h, w]` or `[n, features]`.
    ///
    /// # Errors
    ///
    /// [`DataError::NpyType`] of other numbers, [`DataError::NpySizes`] of other sizes.
    pub fn into_batch<S: Shape>(self) -> Result<Batch<S>, DataError> {
        let Self { path, shape: found, values } = self;
        let NpyValues::Floats(values) = values else {
            return Err(DataError::NpyType { path, expected: "float32 or float64", found: values.name().into() });
        };
        let (sizes, expected) = match S::SIZES {
            Sizes::Map { channels, height, width } => {
                (vec![channels, height, width], format!("[n, {channels}, {height}, {width}]"))
            }
            Sizes::Flat { features } => (vec![features], format!("[n, {features}]")),
        };
        if found.get(1..) != Some(sizes.as_slice()) {
            return Err(DataError::NpySizes { path, expected, found });
        }
        // As many as samples of this shape have, and at least one.
        Batch::from_nchw(&values).map_err(DataError::other)
    }
}

impl NpyValues {
    fn name(&self) -> &'static str {
        match self {
            Self::Bytes(_) => "uint8",
            Self::Integers(_) => "whole numbers",
            Self::Floats(_) => "numbers with a fraction",
        }
    }

    /// From the order in which the first index changes fastest.
    fn row_major(self, shape: &[usize]) -> Self {
        fn reorder<T: Copy>(values: &[T], shape: &[usize]) -> Vec<T> {
            let mut index = vec![0; shape.len()];
            let mut strides = vec![1; shape.len()];
            for axis in 1..shape.len() {
                strides[axis] = strides[axis - 1] * shape[axis - 1];
            }
            (0..values.len())
                .map(|_| {
                    let value = values[index.iter().zip(&strides).map(|(index, stride)| index * stride).sum::<usize>()];
                    for axis in (0..shape.len()).rev() {
                        index[axis] += 1;
                        if index[axis] < shape[axis] {
                            break;
                        }
                        index[axis] = 0;
                    }
                    value
                })
                .collect()
        }
        match self {
            Self::Bytes(values) => Self::Bytes(reorder(&values, shape)),
            Self::Integers(values) => Self::Integers(reorder(&values, shape)),
            Self::Floats(values) => Self::Floats(reorder(&values, shape)),
        }
    }
}

/// What kind of numbers there are: `descr`, such as `<f4`.
struct Number {
    kind: u8,
    size: usize,
    big_endian: bool,
}

impl Number {
    fn of(descr: &str) -> Option<Self> {
        let &[order, kind, size] = descr.as_bytes() else { return None };
        let size = match (kind, size) {
            (b'b', b'1') | (b'u' | b'i', b'1' | b'2' | b'4' | b'8') | (b'f', b'4' | b'8') => usize::from(size - b'0'),
            _ => return None,
        };
        match order {
            b'<' => Some(Self { kind, size, big_endian: false }),
            b'>' => Some(Self { kind, size, big_endian: true }),
            b'|' if size == 1 => Some(Self { kind, size, big_endian: false }),
            _ => None,
        }
    }

    fn values(&self, data: &[u8], path: &Path) -> Result<NpyValues, DataError> {
        if self.size == 1 && self.kind != b'i' {
            return Ok(NpyValues::Bytes(data.to_vec()));
        }
        // The bits of each, the lowest first.
        let bits = data.chunks_exact(self.size).map(|bytes| {
            let mut bits = [0; 8];
            bits[..self.size].copy_from_slice(bytes);
            if self.big_endian {
                bits[..self.size].reverse();
            }
            u64::from_le_bytes(bits)
        });
        Ok(match self.kind {
            b'f' if self.size == 4 => NpyValues::Floats(bits.map(|bits| f32::from_bits(bits as u32)).collect()),
            b'f' => NpyValues::Floats(bits.map(|bits| f64::from_bits(bits) as f32).collect()),
            b'i' => {
                let unused = 64 - 8 * self.size as u32;
                NpyValues::Integers(bits.map(|bits| ((bits << unused) as i64) >> unused).collect())
            }
            _ => {
                let number = |(index, bits): (usize, u64)| {
                    let found = bits.to_string();
                    let wrong = |_| DataError::NpyValue { path: path.into(), index, classes: i64::MAX as usize, found };
                    i64::try_from(bits).map_err(wrong)
                };
                NpyValues::Integers(bits.enumerate().map(number).collect::<Result<_, _>>()?)
            }
        })
    }
}

/// The dictionary at the start, a literal of Python's: `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
struct Header {
    descr: String,
    fortran_order: bool,
    shape: Vec<usize>,
}

/// What was expected, and what was found.
type Wrong = (&'static str, String);

impl Header {
    fn parse(bytes: &[u8]) -> Result<Self, Wrong> {
        let text = std::str::from_utf8(bytes).map_err(|_| ("a text", String::from_utf8_lossy(bytes).into_owned()))?;
        let text = text.trim_end();
        let inside = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
        let mut rest = inside.ok_or_else(|| ("a dictionary in braces", text.to_owned()))?.trim();
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        while !rest.is_empty() {
            let (key, value) = rest.split_once(':').ok_or_else(|| ("a key with a value", rest.to_owned()))?;
            let value = value.trim_start();
            let wrong = |expected| (expected, value.to_owned());
            let behind = match key.trim() {
                "'descr'" if descr.is_none() => {
                    let quoted = value.strip_prefix('\'').and_then(|value| value.split_once('\''));
                    let (found, behind) = quoted.ok_or_else(|| wrong("a type such as '<f4'"))?;
                    descr = Some(found.to_owned());
                    behind
                }
                "'fortran_order'" if fortran_order.is_none() => {
                    let (found, behind) = match (value.strip_prefix("True"), value.strip_prefix("False")) {
                        (Some(behind), _) => (true, behind),
                        (_, Some(behind)) => (false, behind),
                        _ => return Err(wrong("True or False")),
                    };
                    fortran_order = Some(found);
                    behind
                }
                "'shape'" if shape.is_none() => {
                    let tuple = value.strip_prefix('(').and_then(|value| value.split_once(')'));
                    let (sizes, behind) = tuple.ok_or_else(|| wrong("a tuple of sizes"))?;
                    let sizes = sizes.trim().trim_end_matches(',');
                    let sizes = if sizes.is_empty() { Vec::new() } else { sizes.split(',').collect() };
                    let sizes = sizes.iter().map(|size| size.trim().parse()).collect::<Result<_, _>>();
                    shape = Some(sizes.map_err(|_| wrong("a tuple of sizes"))?);
                    behind
                }
                key => return Err(("descr, fortran_order and shape, each once", key.to_owned())),
            };
            let behind = behind.trim_start();
            rest = match behind.strip_prefix(',') {
                Some(behind) => behind.trim_start(),
                None if behind.is_empty() => behind,
                None => return Err(("a comma", behind.to_owned())),
            };
        }
        match (descr, fortran_order, shape) {
            (Some(descr), Some(fortran_order), Some(shape)) => Ok(Self { descr, fortran_order, shape }),
            _ => Err(("descr, fortran_order and shape, each once", text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::shape::{Chw, Flat};

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        let header = format!("{header}\n");
        [&MAGIC[..], &[1, 0], &(header.len() as u16).to_le_bytes(), header.as_bytes(), data].concat()
    }

    fn of(descr: &str, order: &str, shape: &str, data: &[u8]) -> Result<Npy, DataError> {
        Npy::parse(
            "a.npy",
            &file(&format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}"), data),
        )
    }

    fn message<T>(result: Result<T, DataError>) -> String {
        result.map(drop).unwrap_err().to_string()
    }

    #[test]
    fn all_numbers_are_read() {
        let integers = |descr, data: &[u8]| of(descr, "False", "(2,)", data).unwrap().values;
        assert_eq!(integers("|u1", &[1, 255]), NpyValues::Bytes(vec![1, 255]));
        assert_eq!(integers("|b1", &[1, 0]), NpyValues::Bytes(vec![1, 0]));
        assert_eq!(integers("|i1", &[1, 255]), NpyValues::Integers(vec![1, -1]));
        assert_eq!(integers("<i2", &[1, 0, 254, 255]), NpyValues::Integers(vec![1, -2]));
        assert_eq!(integers(">u2", &[1, 0, 0, 1]), NpyValues::Integers(vec![256, 1]));
        assert_eq!(integers("<u8", &[[1; 8], [0; 8]].concat()), NpyValues::Integers(vec![0x0101_0101_0101_0101, 0]));
        let floats = [1.5_f32, -2.0];
        let little: Vec<u8> = floats.iter().flat_map(|value| value.to_le_bytes()).collect();
        let big: Vec<u8> = floats.iter().flat_map(|value| f64::from(*value).to_be_bytes()).collect();
        assert_eq!(integers("<f4", &little), NpyValues::Floats(floats.to_vec()));
        assert_eq!(integers(">f8", &big), NpyValues::Floats(floats.to_vec()));
        assert!(message(of("<u8", "False", "(1,)", &[255; 8])).starts_with("a.npy: value 0: expected a whole number"));
    }

    #[test]
    fn arrays_become_what_they_are_for() {
        let images = of("|u1", "False", "(2, 1, 2)", &[1, 2, 3, 4]).unwrap().into_images().unwrap();
        assert_eq!((images.channels(), images.len(), &images[1]), (1, 2, &[3, 4][..]));
        let images = of("|u1", "False", "(1, 1, 2, 3)", &[1, 2, 3, 4, 5, 6]).unwrap().into_images().unwrap();
        assert_eq!((images.channels(), images.width()), (3, 2));
        assert_eq!(of("<i2", "False", "(2,)", &[1, 0, 3, 0]).unwrap().into_labels().unwrap(), [1, 3]);
        assert_eq!(of("|u1", "False", "(2,)", &[1, 3]).unwrap().into_classes::<4>().unwrap(), [Class(1), Class(3)]);
        let data: Vec<u8> = (0..4_u8).flat_map(|value| f32::from(value).to_le_bytes()).collect();
        let map = |order| of("<f4", order, "(1, 2, 1, 2)", &data).unwrap().into_batch::<Chw<2, 1, 2>>().unwrap();
        // Channels come last in memory; in Fortran's order, so they do in the file.
        assert_eq!(map("False").values(), [0.0, 2.0, 1.0, 3.0]);
        assert_eq!(map("True").values(), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(of("<f4", "False", "(2, 2)", &data).unwrap().into_batch::<Flat<2>>().unwrap().len(), 2);
        assert_eq!(of("<f4", "False", "()", &data[..4]).unwrap().shape(), [0_usize; 0]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(message(Npy::parse("a.npy", b"PK")), "a.npy: not an .npy file: expected \\x93NUMPY, found [50, 4b]");
        assert_eq!(
            message(Npy::parse("a.npy", b"\x93NUMPY\x04\x00aaaaaa")),
            "a.npy: broken .npy header: expected version 1.0, 2.0 or 3.0, found \"4.0\""
        );
        let sound = file("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }", &[1, 2, 3]);
        for len in 0..sound.len() {
            assert!(Npy::parse("a.npy", &sound[..len]).is_err(), "{len}");
        }
        assert_eq!(
            message(Npy::parse("a.npy", &sound[..sound.len() - 1])),
            "a.npy: truncated: expected 3 bytes of data, found 2"
        );
        assert_eq!(
            message(Npy::parse("a.npy", &[sound, vec![0]].concat())),
            "a.npy: expected the end behind 3 bytes of data, found more"
        );
        for (header, expected) in [
            ("[]", "a dictionary in braces, found \"[]\""),
            ("{'descr': '|u1'}", "descr, fortran_order and shape, each once"),
            ("{'descr': '|u1', 'descr': '|u1'}", "descr, fortran_order and shape, each once, found \"'descr'\""),
            ("{'shape': 3}", "a tuple of sizes, found \"3\""),
            ("{'shape': (3, x)}", "a tuple of sizes"),
            ("{'shape': (-3,)}", "a tuple of sizes"),
            ("{'fortran_order': 0}", "True or False, found \"0\""),
            ("{'descr': 3}", "a type such as '<f4', found \"3\""),
            ("{'shape': (3,) 'descr': '|u1'}", "a comma, found"),
            ("{a}", "a key with a value, found \"a\""),
        ] {
            let message = message(Npy::parse("a.npy", &file(header, &[])));
            assert!(message.starts_with(&format!("a.npy: broken .npy header: expected {expected}")), "{message}");
        }
        assert!(message(of("<f2", "False", "(1,)", &[0; 2])).ends_with("found numbers of type <f2"));
        assert!(message(of("<f4", "False", "(0, 3)", &[])).ends_with("found the sizes [0, 3]"));
        let huge = "(4294967296, 4294967296)";
        assert!(message(of("<f4", "False", huge, &[])).ends_with("more bytes than this machine can address"));
        assert_eq!(
            message(of("|u1", "False", "(1,)", &[1]).unwrap().into_images()),
            "a.npy: expected an array of sizes [n, h, w] or [n, h, w, channels], found [1]"
        );
        assert_eq!(
            message(of("<f4", "False", "(1, 1)", &[0; 4]).unwrap().into_batch::<Flat<2>>()),
            "a.npy: expected an array of sizes [n, 2], found [1, 1]"
        );
        assert!(message(of("|u1", "False", "(1, 1)", &[0]).unwrap().into_labels()).contains("sizes [n], found [1, 1]"));
        let fraction = of("<f4", "False", "(1,)", &[0; 4]).unwrap();
        assert!(
            message(fraction.clone().into_labels())
                .ends_with("whole numbers, found numbers of type numbers with a fraction")
        );
        assert!(message(fraction.into_images()).contains("expected uint8"));
        assert_eq!(
            message(of("|i1", "False", "(2,)", &[0, 255]).unwrap().into_labels()),
            "a.npy: value 1: expected a whole number below 256, found -1"
        );
        assert_eq!(
            message(of("|u1", "False", "(1,)", &[4]).unwrap().into_classes::<4>()),
            "a.npy: value 0: expected a whole number below 4, found 4"
        );
        assert!(message(Npy::read("no-such.npy")).starts_with("no-such.npy: "));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64), flip: u8, place: prop::sample::Index) {
            let _ = Npy::parse("x", &bytes);
            let _ = Npy::parse("x", &file(&String::from_utf8_lossy(&bytes), &[]));
            let mut sound = file("{'descr': '<i2', 'fortran_order': True, 'shape': (3, 1), }", &[1; 6]);
            let place = place.index(sound.len());
            sound[place] ^= flip;
            let _ = Npy::parse("x", &sound);
        }
    }
}
