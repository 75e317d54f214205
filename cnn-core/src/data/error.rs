use std::io;
use std::path::PathBuf;

/// Why labelled images cannot be used, or not in the way that was asked for: a variant per way to be wrong.
///
/// `path` is the file; for values that were made in memory it is `images` or `labels`. A function that returns it has
/// changed nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are what the messages say they are")]
pub enum DataError {
    /// The file cannot be opened or read.
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },

    /// The file is in gzip, which this program cannot read.
    #[error("{}: in gzip; unpack it, or build cnn-core with its feature `gzip`", path.display())]
    NoGzip { path: PathBuf },

    /// The file begins as gzip does, and is not.
    #[error("{}: broken gzip: {error}", path.display())]
    Gzip { path: PathBuf, error: io::Error },

    /// The file does not begin with two zero bytes, as IDX files do.
    #[error("{}: not an IDX file: expected magic 0x{expected:08x}, found 0x{found:08x}", path.display())]
    Magic { path: PathBuf, expected: u32, found: u32 },

    /// The elements of an IDX file are not unsigned bytes.
    #[error("{}: expected unsigned bytes (IDX type 0x08), found {} (IDX type 0x{found:02x})", path.display(), element_name(*found))]
    ElementType { path: PathBuf, found: u8 },

    /// Images where labels were expected, or the reverse.
    #[error("{}: expected {}, found {}", path.display(), content(*expected), dimensions(*found))]
    Dimensions { path: PathBuf, expected: u8, found: u8 },

    /// A size in the header is zero.
    #[error("{}: expected at least one value, found the sizes {found:?}", path.display())]
    Empty { path: PathBuf, found: Vec<usize> },

    /// The sizes in the header multiply to more than memory can hold.
    #[error("{}: the sizes {found:?} make more bytes than this machine can address", path.display())]
    TooLarge { path: PathBuf, found: Vec<usize> },

    /// The header announces more than is allowed: by the caller, or, of a file in gzip, by how large the file is.
    #[error(
        "{}: expected at most {limit} bytes of data, found {found} announced; \
         if the file is to be trusted, read it with a higher limit (read_idx_up_to)",
        path.display()
    )]
    Limit { path: PathBuf, limit: usize, found: usize },

    /// The file ends before its header or before what its header announces.
    #[error("{}: truncated: expected {expected} bytes of {part}, found {found}", path.display())]
    Truncated { path: PathBuf, part: &'static str, expected: usize, found: usize },

    /// The file goes on behind what its header announces.
    #[error("{}: expected the end behind {expected} bytes of data, found more", path.display())]
    TrailingBytes { path: PathBuf, expected: usize },

    /// The pixels do not fill a whole number of images.
    #[error("{}: expected a multiple of {height} x {width} pixels, found {found}", path.display())]
    PartialImage { path: PathBuf, height: usize, width: usize, found: usize },

    /// Not one label per image.
    #[error("{}: expected {expected} labels, as many as images in {}, found {found}", path.display(), images.display())]
    Counts { path: PathBuf, images: PathBuf, expected: usize, found: usize },

    /// A label that is not a class.
    #[error("{}: label {index}: expected a class below {classes}, found {found}", path.display())]
    LabelOutOfRange { path: PathBuf, index: usize, classes: usize, found: u8 },

    /// A split that leaves no sample on one of its sides.
    #[error("{}: expected a test part of 1 to {} samples, found {found}", path.display(), available.saturating_sub(1))]
    SplitSize { path: PathBuf, available: usize, found: usize },

    /// A mean that is infinite or not a number.
    #[error("mean = {0}: a mean is a finite number")]
    Mean(f32),

    /// A standard deviation that nothing can be divided by.
    #[error("std = {0}: a standard deviation is a finite number above zero")]
    Std(f32),

    /// A mean and a standard deviation that leave nothing of an image.
    #[error(
        "mean = {mean}, std = {std}: expected black and white to become two finite numbers, found {black} and {white}"
    )]
    Contrast { mean: f32, std: f32, black: f32, white: f32 },

    /// Batches of no samples.
    #[error("size = 0: a batch takes 1 sample or more")]
    BatchSize,

    /// An epoch of no samples, or of more than memory can have numbers of.
    #[error("samples = {0}: an epoch takes 1 sample or more, and a number in memory for each")]
    EpochSize(usize),

    /// An image that is not there.
    #[error("{}: there is no image {index} of {images}", path.display())]
    NoSuchImage { path: PathBuf, index: usize, images: usize },

    /// Room for a batch that is not as large as its images.
    #[error("batch: expected {expected} values, {images} images of {height} x {width}, found {found}")]
    BatchLength { images: usize, height: usize, width: usize, expected: usize, found: usize },
}

/// What IDX calls its element types.
fn element_name(code: u8) -> &'static str {
    match code {
        0x08 => "unsigned bytes",
        0x09 => "signed bytes",
        0x0b => "16-bit integers",
        0x0c => "32-bit integers",
        0x0d => "32-bit floats",
        0x0e => "64-bit floats",
        _ => "no known type",
    }
}

fn content(expected: u8) -> String {
    format!("{} ({})", if expected == 1 { "labels" } else { "images" }, dimensions(expected))
}

fn dimensions(count: u8) -> String {
    format!("{count} dimension{}", if count == 1 { "" } else { "s" })
}
