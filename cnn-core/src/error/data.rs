use core::ops::Range;
use std::io;
use std::path::PathBuf;

/// Why data cannot be used, or not in the way that was asked for: a variant per way to be wrong.
///
/// `path` is the file; for values that were made in memory it is `images` or `labels`. A function that returns it has
/// changed nothing, save the batch that a loader would have given.
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
    #[error("{}: expected a multiple of {height} x {width} pixels of {channels} bytes, found {found} bytes", path.display())]
    PartialImage { path: PathBuf, channels: usize, height: usize, width: usize, found: usize },

    /// The file holds no whole number of records.
    #[error("{}: truncated: expected records of {record} bytes each, found {found} bytes", path.display())]
    PartialRecord { path: PathBuf, record: usize, found: u64 },

    /// Not one label per image.
    #[error("{}: expected {expected} labels, as many as images in {}, found {found}", path.display(), images.display())]
    Counts { path: PathBuf, images: PathBuf, expected: usize, found: usize },

    /// A label that is not a class.
    #[error("{}: label {index}: expected a class below {classes}, found {found}", path.display())]
    LabelOutOfRange { path: PathBuf, index: usize, classes: usize, found: u8 },

    /// A class that is none.
    #[error("expected a class below {classes}, found {found}")]
    NoClass { classes: usize, found: usize },

    /// A split that does not say how large its parts are.
    #[error("expected one part that is the rest, and fractions from 0 to 1, found {found}")]
    SplitParts { found: String },

    /// A split that leaves no sample in one of its parts.
    #[error("{samples} samples cannot be split into {found}: each part takes 1 or more")]
    SplitSize { samples: usize, found: String },

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

    /// Not one mean and one deviation for each channel.
    #[error("expected a mean and a standard deviation for each of {expected} channels, found {found}")]
    NormalizeChannels { expected: usize, found: usize },

    /// Not as much room as there are bytes.
    #[error("expected room for {expected} values, one for each byte, found {found}")]
    Values { expected: usize, found: usize },

    /// An option of a transform that makes no sense.
    #[error("{option} = {value}: {wants}")]
    TransformOption { option: &'static str, value: String, wants: &'static str },

    /// A crop that is larger than the picture.
    #[error("a crop of {} x {} pixels of a picture of {} x {}; pad_if_needed pads it", crop[0], crop[1], found[0], found[1])]
    CropSize { crop: [usize; 2], found: [usize; 2] },

    /// A transform does not fit a picture.
    #[error("{}: {problem}", path.display())]
    InPicture { path: PathBuf, problem: Box<DataError> },

    /// Transforms that make pictures of another size than the network takes.
    #[error(
        "the transforms make pictures of {} x {}, and the network takes {} x {}",
        found[0], found[1], expected[0], expected[1]
    )]
    OutputSize { expected: [usize; 2], found: [usize; 2] },

    /// A picture that, behind the transforms, has another size than the network takes.
    #[error(
        "{}: expected {} behind the transforms, found {}; end them with a resize or a crop to the network's size",
        path.display(), map(*expected), map(*found)
    )]
    PictureSize { path: PathBuf, expected: [usize; 3], found: [usize; 3] },

    /// A number of channels that cannot be made the network's.
    #[error("{}: expected pictures of {expected} channels, or that can be made so, found {found}", path.display())]
    Channels { path: PathBuf, expected: usize, found: usize },

    /// A file that begins as neither PNG nor JPEG files do.
    #[error("{}: expected a PNG or a JPEG file, found one that begins with {found:02x?}", path.display())]
    Format { path: PathBuf, found: Vec<u8> },

    /// A picture that cannot be decoded: it is cut short, or its bytes are not what they were.
    #[error("{}: broken {format}: {problem}", path.display())]
    Decode { path: PathBuf, format: &'static str, problem: String },

    /// A picture of more pixels than are allowed, by what its header says.
    #[error(
        "{}: expected at most {limit} pixels, found {found}; if the file is to be trusted, allow more (max_pixels)",
        path.display()
    )]
    Pixels { path: PathBuf, limit: usize, found: usize },

    /// A file of a kind that torchvision reads, and this library does not.
    #[error("{}: expected PNG and JPEG files, found another kind of picture; convert it, or move it elsewhere", path.display())]
    Extension { path: PathBuf },

    /// A folder without folders of classes.
    #[error("{}: expected a folder for each class, found none", path.display())]
    NoClasses { path: PathBuf },

    /// Another number of folders than of classes.
    #[error("{}: expected a folder for each of {expected} classes, found {}: {}", path.display(), found.len(), some(found))]
    ClassFolders { path: PathBuf, expected: usize, found: Vec<String> },

    /// A folder without pictures.
    #[error("{}: expected PNG or JPEG files, found none", path.display())]
    NoPictures { path: PathBuf },

    /// A folder that contains itself, by a link.
    #[error("{}: a link to a folder that it lies in", path.display())]
    LinkLoop { path: PathBuf },

    /// A picture without a mask, or a mask without a picture.
    #[error("{}: expected {} of the same name, found none", path.display(), folder.display())]
    NoPartner { path: PathBuf, folder: PathBuf },

    /// Two files of one name, which differ by their extension.
    #[error("{}: {} has the same name", path.display(), other.display())]
    SameName { path: PathBuf, other: PathBuf },

    /// A mask that is not as large as its picture.
    #[error(
        "{}: expected a mask of {} x {} pixels, as its picture {} has, found {} x {}",
        path.display(), expected[0], expected[1], picture.display(), found[0], found[1]
    )]
    MaskSize { path: PathBuf, picture: PathBuf, expected: [usize; 2], found: [usize; 2] },

    /// A mask whose pixels are not classes: of colours without a palette, or of 16 bits.
    #[error("{}: expected a mask with a class for each pixel (grey or with a palette, up to 8 bits), found {found}", path.display())]
    MaskKind { path: PathBuf, found: String },

    /// A pixel of a mask that is no class.
    #[error("{}: row {row}, column {column}: expected a class below {classes}, found {found}", path.display())]
    MaskClass { path: PathBuf, row: usize, column: usize, classes: usize, found: u8 },

    /// A class of masks that should not count, and is one that does.
    #[error("the ignored class {found} is one of the {classes} classes")]
    IgnoredClass { classes: usize, found: u8 },

    /// A line of a table that has more or fewer columns than the first.
    #[error("{}:{line}: expected {expected} columns, found {found}", path.display())]
    Columns { path: PathBuf, line: usize, expected: usize, found: usize },

    /// A column that is not there.
    #[error("{}: expected a column {name:?}, found {}", path.display(), some(found))]
    NoColumn { path: PathBuf, name: String, found: Vec<String> },

    /// A table of another number of values than a sample has.
    #[error("{}: expected {expected} columns of inputs, as many as a sample has values, found {found}", path.display())]
    InputCounts { path: PathBuf, expected: usize, found: usize },

    /// A field of a table that is not what it should be.
    #[error("{}:{line}: column {column}: expected {expected}, found {found:?}", path.display())]
    Field { path: PathBuf, line: usize, column: usize, expected: String, found: String },

    /// A file that does not begin as NumPy's do.
    #[error("{}: not an .npy file: expected \\x93NUMPY, found {found:02x?}", path.display())]
    NpyMagic { path: PathBuf, found: Vec<u8> },

    /// A header of NumPy's that says something else than it should.
    #[error("{}: broken .npy header: expected {expected}, found {found:?}", path.display())]
    NpyHeader { path: PathBuf, expected: &'static str, found: String },

    /// An array of other numbers than are wanted.
    #[error("{}: expected {expected}, found numbers of type {found}", path.display())]
    NpyType { path: PathBuf, expected: &'static str, found: String },

    /// An array of other sizes than are wanted.
    #[error("{}: expected an array of sizes {expected}, found {found:?}", path.display())]
    NpySizes { path: PathBuf, expected: String, found: Vec<usize> },

    /// A number in an array that is no class.
    #[error("{}: value {index}: expected a whole number below {classes}, found {found}", path.display())]
    NpyValue { path: PathBuf, index: usize, classes: usize, found: String },

    /// Not as many targets as inputs.
    #[error("expected {expected} targets, as many as inputs, found {found}")]
    Targets { expected: usize, found: usize },

    /// Batches of no samples.
    #[error("size = 0: a batch takes 1 sample or more")]
    BatchSize,

    /// An epoch of no batches, or of more samples than memory can have numbers of.
    #[error(
        "samples = {samples}, batches of {size}: an epoch takes 1 batch or more, and a number in memory for each sample"
    )]
    EpochSize { samples: usize, size: usize },

    /// A batch behind the last of an epoch.
    #[error("an epoch has {batches} batches, and none is number {found}")]
    NoSuchBatch { batches: usize, found: usize },

    /// Batches as shards of steps, where a process takes none, or more than a step has, or no step has so many.
    #[error("shards {own:?} of {of} in an epoch of {batches} batches: expected some of a step, and a whole step")]
    NoSuchShards { own: Range<usize>, of: usize, batches: usize },

    /// A sample that is not there.
    #[error("there is no sample {index} of {samples}")]
    NoSuchSample { index: usize, samples: usize },

    /// Weights that nothing can be drawn by.
    #[error("expected a finite weight, 0 or more, for each of {samples} samples, and one above 0, found {found}")]
    Weights { samples: usize, found: String },

    /// A thread that the system does not give.
    #[error("a thread of the loader cannot be started: {error}")]
    Thread { error: io::Error },

    /// A parameter of a mixture that makes no sense.
    #[error("alpha = {0}: the parameter of a beta distribution is a finite number above zero")]
    Alpha(f64),

    /// Samples that cannot be mixed: their targets are not one class each.
    #[error("expected one class for each of {samples} samples to mix them, found {found}, or some that do not count")]
    Unmixable { samples: usize, found: usize },

    /// What went wrong in a data set of a program's own.
    #[error(transparent)]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

impl DataError {
    /// What went wrong in a data set of a program's own: an error of any kind, or a text.
    pub fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Other(error.into())
    }
}

/// Names, the first of them if they are many.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 8;
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..SHOWN].join(", ")),
    }
}

fn map([channels, height, width]: [usize; 3]) -> String {
    format!("{channels}x{height}x{width}")
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
