//! IDX, the file format of MNIST, raw or, with the feature `gzip`, in gzip.
//!
//! A big-endian header: two zero bytes, the element type, the number of dimensions, then each dimension as a `u32`; then the
//! elements, row-major. Knows bytes and sizes only, not what they mean. Memory grows with the bytes that are there, never by
//! what a header promises; and of gzip, where few bytes can make very many, no more is unpacked than the header announces,
//! and nothing if that is more than is allowed.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use crate::data::DataError;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const UNSIGNED_BYTE: u8 = 0x08;

/// An array of bytes and its sizes: `data.len()` is their product, and none is zero.
#[derive(Debug)]
pub(super) struct Array<const DIMENSIONS: usize> {
    pub(super) sizes: [usize; DIMENSIONS],
    pub(super) data: Vec<u8>,
}

impl<const DIMENSIONS: usize> Array<DIMENSIONS> {
    /// Reads the file at `path`, if it announces no more bytes of data than `limit`.
    pub(super) fn read(path: &Path, limit: Option<usize>) -> Result<Self, DataError> {
        let open = || {
            let file = File::open(path)?;
            let len = file.metadata()?.len();
            Ok((file, len))
        };
        let (file, len) = open().map_err(|error| DataError::Io { path: path.into(), error })?;
        Self::decode(path, BufReader::new(file), len, limit)
    }

    /// Reads an IDX file of so many bytes, raw or in gzip, from `source`; `path` is for messages. Without a `limit`, raw data
    /// may be as large as it is, and unpacked data as large as [`usual`].
    pub(super) fn decode(
        path: &Path,
        mut source: impl BufRead,
        len: u64,
        limit: Option<usize>,
    ) -> Result<Self, DataError> {
        let start = source.fill_buf().map_err(|error| DataError::Io { path: path.into(), error })?;
        if start.starts_with(&GZIP_MAGIC) {
            Self::unpack(path, source, limit.unwrap_or(usual(len)))
        } else {
            Self::parse(path, source, limit.unwrap_or(usize::MAX))
        }
    }

    #[cfg(feature = "gzip")]
    fn unpack(path: &Path, source: impl BufRead, limit: usize) -> Result<Self, DataError> {
        // Of several members, so that what follows the first is read too and not taken for the end.
        Self::parse(path, flate2::bufread::MultiGzDecoder::new(source), limit)
    }

    #[cfg(not(feature = "gzip"))]
    fn unpack(path: &Path, _: impl BufRead, _: usize) -> Result<Self, DataError> {
        Err(DataError::NoGzip { path: path.into() })
    }

    fn parse(path: &Path, mut source: impl Read, limit: usize) -> Result<Self, DataError> {
        let magic = read_up_to(path, &mut source, 4)?;
        let Ok([first, second, element, dimensions]) = <[u8; 4]>::try_from(magic.as_slice()) else {
            return Err(DataError::Truncated { path: path.into(), part: "magic", expected: 4, found: magic.len() });
        };
        let expected = [0, 0, UNSIGNED_BYTE, DIMENSIONS as u8];
        if [first, second] != [0, 0] {
            let found = u32::from_be_bytes([first, second, element, dimensions]);
            return Err(DataError::Magic { path: path.into(), expected: u32::from_be_bytes(expected), found });
        }
        if element != UNSIGNED_BYTE {
            return Err(DataError::ElementType { path: path.into(), found: element });
        }
        if usize::from(dimensions) != DIMENSIONS {
            return Err(DataError::Dimensions { path: path.into(), expected: DIMENSIONS as u8, found: dimensions });
        }

        let header = read_up_to(path, &mut source, 4 * DIMENSIONS)?;
        if header.len() < 4 * DIMENSIONS {
            let (expected, found) = (4 * DIMENSIONS, header.len());
            return Err(DataError::Truncated { path: path.into(), part: "sizes", expected, found });
        }
        let mut sizes = [0; DIMENSIONS];
        for (size, bytes) in sizes.iter_mut().zip(header.chunks_exact(4)) {
            *size = bytes.iter().fold(0, |size, &byte| size << 8 | usize::from(byte));
        }
        if sizes.contains(&0) {
            return Err(DataError::Empty { path: path.into(), found: sizes.into() });
        }
        // One below the greatest, to have room for the byte that shows that there is more.
        let expected = sizes.iter().try_fold(1, |product: usize, &size| product.checked_mul(size));
        let Some(expected) = expected.filter(|&expected| expected < isize::MAX as usize) else {
            return Err(DataError::TooLarge { path: path.into(), found: sizes.into() });
        };
        if expected > limit {
            return Err(DataError::Limit { path: path.into(), limit, found: expected });
        }

        let data = read_up_to(path, &mut source, expected + 1)?;
        if data.len() > expected {
            return Err(DataError::TrailingBytes { path: path.into(), expected });
        }
        if data.len() < expected {
            return Err(DataError::Truncated { path: path.into(), part: "data", expected, found: data.len() });
        }
        Ok(Self { sizes, data })
    }
}

/// What gzip of so many bytes may unpack to without being asked for: 64 MiB, or a hundred times as many bytes. Pictures become
/// a few times as many, a stream of zeros a thousand times.
fn usual(len: u64) -> usize {
    usize::try_from(len.saturating_mul(100)).unwrap_or(usize::MAX).max(64 << 20)
}

/// At most `limit` bytes, fewer where `source` ends before.
fn read_up_to(path: &Path, source: &mut impl Read, limit: usize) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    match source.take(limit as u64).read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        // A file never ends too early by itself: these come from the decoder.
        #[cfg(feature = "gzip")]
        Err(error) if is_decoding(error.kind()) => Err(DataError::Gzip { path: path.into(), error }),
        Err(error) => Err(DataError::Io { path: path.into(), error }),
    }
}

#[cfg(feature = "gzip")]
fn is_decoding(kind: std::io::ErrorKind) -> bool {
    use std::io::ErrorKind;

    matches!(kind, ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    fn file(element: u8, sizes: &[u32], data: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, element, sizes.len() as u8];
        bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
        bytes.extend(data);
        bytes
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn images(bytes: &[u8]) -> Result<Array<3>, DataError> {
        Array::decode(Path::new("images.idx"), bytes, bytes.len() as u64, None)
    }

    /// The message that raw bytes give; in gzip they must give the same.
    fn message(bytes: &[u8]) -> String {
        let raw = images(bytes).unwrap_err().to_string();
        assert_eq!(images(&gzip(bytes)).unwrap_err().to_string(), raw);
        raw
    }

    #[test]
    fn raw_and_gzip_read_the_same() {
        let bytes = file(8, &[2, 1, 3], &[1, 2, 3, 4, 5, 6]);
        for bytes in [gzip(&bytes), bytes] {
            let array = images(&bytes).unwrap();
            assert_eq!((array.sizes, array.data), ([2, 1, 3], vec![1, 2, 3, 4, 5, 6]));
        }
    }

    #[test]
    fn gzip_of_several_members_is_one_file() {
        let bytes = file(8, &[2, 1, 3], &[1, 2, 3, 4, 5, 6]);
        let parts = [gzip(&bytes[..9]), gzip(&bytes[9..])].concat();
        assert_eq!(images(&parts).unwrap().data, [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_wrong_header_says_what_was_expected_and_found() {
        assert_eq!(message(b"\x89PNG\r\n"), "images.idx: not an IDX file: expected magic 0x00000803, found 0x89504e47");
        assert_eq!(
            message(&file(0x0d, &[1, 1, 1], &[0; 4])),
            "images.idx: expected unsigned bytes (IDX type 0x08), found 32-bit floats (IDX type 0x0d)"
        );
        assert_eq!(message(&file(8, &[2], &[0; 2])), "images.idx: expected images (3 dimensions), found 1 dimension");
        assert_eq!(
            message(&file(8, &[2, 0, 3], &[])),
            "images.idx: expected at least one value, found the sizes [2, 0, 3]"
        );
        assert_eq!(
            message(&file(8, &[u32::MAX; 3], &[])),
            "images.idx: the sizes [4294967295, 4294967295, 4294967295] make more bytes than this machine can address"
        );
    }

    #[test]
    fn a_file_that_ends_early_or_late_says_by_how_much() {
        assert_eq!(message(&[]), "images.idx: truncated: expected 4 bytes of magic, found 0");
        let whole = file(8, &[2, 1, 3], &[0; 6]);
        assert_eq!(message(&whole[..3]), "images.idx: truncated: expected 4 bytes of magic, found 3");
        assert_eq!(message(&whole[..15]), "images.idx: truncated: expected 12 bytes of sizes, found 11");
        assert_eq!(message(&whole[..21]), "images.idx: truncated: expected 6 bytes of data, found 5");
        let longer = [whole, vec![0; 2]].concat();
        assert_eq!(message(&longer), "images.idx: expected the end behind 6 bytes of data, found more");
    }

    #[test]
    fn a_header_that_promises_much_allocates_little() {
        // 2^62 bytes would abort the process if the header were believed.
        let bytes = file(8, &[1 << 31, 1 << 16, 1 << 15], &[0; 6]);
        let message = |bytes: &[u8]| images(bytes).unwrap_err().to_string();
        assert_eq!(message(&bytes), format!("images.idx: truncated: expected {} bytes of data, found 6", 1u64 << 62));
        assert!(message(&gzip(&bytes)).contains(&format!("found {} announced", 1u64 << 62)));
    }

    #[test]
    fn gzip_unpacks_to_no_more_than_is_announced_and_allowed() {
        let limited = |bytes: &[u8], limit| {
            Array::<3>::decode(Path::new("images.idx"), bytes, bytes.len() as u64, limit)
                .map(|array| array.data.len())
                .map_err(|error| error.to_string())
        };
        // In members of a megabyte of zeros each.
        let zeros = gzip(&[0; 1 << 20]);
        let packed = |sizes: &[u32], megabytes: usize| [gzip(&file(8, sizes, &[])), zeros.repeat(megabytes)].concat();
        // A few megabytes that announce the gigabyte that they unpack to.
        let bomb = packed(&[1 << 10, 1 << 10, 1 << 10], 1 << 10);
        assert!(bomb.len() < 6 << 20, "{}", bomb.len());
        let start = std::time::Instant::now();
        let usual = usual(bomb.len() as u64);
        assert_eq!(
            limited(&bomb, None),
            Err(format!(
                "images.idx: expected at most {usual} bytes of data, found {} announced; \
                 if the file is to be trusted, read it with a higher limit (read_idx_up_to)",
                1 << 30
            ))
        );
        // One that announces little and unpacks to more is read up to the byte that shows it.
        let longer = packed(&[1, 1, 1], 1 << 10);
        assert!(limited(&longer, None).unwrap_err().ends_with("expected the end behind 1 bytes of data, found more"));
        // Unpacked to the end, they would take a debug build longer.
        assert!(start.elapsed().as_secs_f64() < 5.0, "{:?}", start.elapsed());

        // The limit is of what is announced, packed or not.
        let whole = file(8, &[2, 1, 3], &[0; 6]);
        for bytes in [gzip(&whole), whole] {
            assert_eq!(limited(&bytes, Some(6)), Ok(6));
            assert!(
                limited(&bytes, Some(5)).unwrap_err().contains("expected at most 5 bytes of data, found 6 announced")
            );
        }
        // More than is usual, which a caller may allow.
        let masks = packed(&[65, 1 << 10, 1 << 10], 65);
        assert!(limited(&masks, None).is_err());
        assert_eq!(limited(&masks, Some(65 << 20)), Ok(65 << 20));
    }

    #[test]
    fn broken_gzip_is_told_from_a_broken_file() {
        let compressed = gzip(&file(8, &[2, 1, 3], &[0; 6]));
        for length in 2..compressed.len() {
            let error = images(&compressed[..length]).unwrap_err();
            assert!(matches!(error, DataError::Gzip { .. }), "{length} bytes: {error}");
        }
        let checksum = compressed.len() - 8;
        let mut wrong = compressed.clone();
        wrong[checksum] ^= 1;
        assert!(matches!(images(&wrong), Err(DataError::Gzip { .. })));
        let trailing = [compressed, vec![1]].concat();
        assert!(matches!(images(&trailing), Err(DataError::Gzip { .. })));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Array::<1>::read(Path::new("no-such-file.gz"), None).unwrap_err();
        assert!(error.to_string().starts_with("no-such-file.gz: "), "{error}");
    }

    /// What holds whatever the bytes are: no panic, and an array that exists is as large as its sizes say.
    fn check(bytes: &[u8]) {
        if let Ok(array) = Array::<3>::decode(Path::new("x"), bytes, 0, None) {
            assert_eq!(array.data.len(), array.sizes.iter().product::<usize>());
            assert!(!array.data.is_empty());
        }
        if let Ok(array) = Array::<1>::decode(Path::new("x"), bytes, 0, None) {
            assert_eq!([array.data.len()], array.sizes);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..64), start in 0..4_usize) {
            check(&bytes);
            let starts: [&[u8]; 4] = [&[0, 0, 8, 3], &[0, 0, 8, 1], &[0x1f, 0x8b], &[0x1f, 0x8b, 8, 0]];
            bytes.splice(..0, starts[start].iter().copied());
            check(&bytes);
        }

        #[test]
        fn no_truncated_or_flipped_file_makes_it_panic(
            sizes in prop::array::uniform3(1..5_u32),
            compressed: bool,
            length in any::<prop::sample::Index>(),
            place in any::<prop::sample::Index>(),
            flip in 1..=u8::MAX,
        ) {
            let values: Vec<u8> = (0..sizes.iter().product::<u32>() as u8).collect();
            let mut bytes = file(8, &sizes, &values);
            if compressed {
                bytes = gzip(&bytes);
            }
            prop_assert_eq!(images(&bytes).unwrap().data, values);
            prop_assert!(images(&bytes[..length.index(bytes.len())]).is_err());
            let place = place.index(bytes.len());
            bytes[place] ^= flip;
            check(&bytes);
        }
    }
}
