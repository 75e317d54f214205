use std::ops::Index;
use std::path::{Path, PathBuf};

use super::idx::Array;
use crate::data::{Canvas, Class, DataError, PictureSource};

/// Images of one size in memory, a byte for each channel of a pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    path: PathBuf,
    channels: usize,
    height: usize,
    width: usize,
    pixels: Vec<u8>,
}

impl Images {
    /// Images from their bytes, `[n, height, width, channels]`; 0 is black, 255 white.
    ///
    /// # Errors
    ///
    /// [`DataError::Empty`] without pixels or with a size of 0, [`DataError::PartialImage`] when they are no whole number of
    /// images, [`DataError::TooLarge`] when the sizes multiply to more than memory can have.
    pub fn new(channels: usize, [height, width]: [usize; 2], pixels: Vec<u8>) -> Result<Self, DataError> {
        Self::named(Path::new("images"), channels, [height, width], pixels)
    }

    /// The same, of a file.
    pub(super) fn named(
        path: &Path,
        channels: usize,
        [height, width]: [usize; 2],
        pixels: Vec<u8>,
    ) -> Result<Self, DataError> {
        let path = path.to_owned();
        match height.checked_mul(width).and_then(|size| size.checked_mul(channels)) {
            None => Err(DataError::TooLarge { path, found: vec![height, width, channels] }),
            Some(size) if size == 0 || pixels.is_empty() => {
                Err(DataError::Empty { path, found: vec![pixels.len(), height, width, channels] })
            }
            Some(size) if !pixels.len().is_multiple_of(size) => {
                Err(DataError::PartialImage { path, channels, height, width, found: pixels.len() })
            }
            Some(_) => Ok(Self { path, channels, height, width, pixels }),
        }
    }

    /// Reads an IDX file with three dimensions, grey images, raw or (with the feature `gzip`) in gzip.
    ///
    /// A few bytes of gzip can unpack to very many. A file in gzip whose header announces more than 64 MiB, and more than a
    /// hundred times the file's size, is an error; [`read_idx_up_to`](Self::read_idx_up_to) reads it.
    pub fn read_idx(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        Array::read(path, None).map(|array| Self::of(path, array))
    }

    /// The same, if the file announces at most so many pixels, whatever its size and whether it is in gzip.
    pub fn read_idx_up_to(path: impl AsRef<Path>, pixels: usize) -> Result<Self, DataError> {
        let path = path.as_ref();
        Array::read(path, Some(pixels)).map(|array| Self::of(path, array))
    }

    /// [`read_idx`](Self::read_idx) from bytes, say from `include_bytes!`.
    pub fn from_idx(bytes: &[u8]) -> Result<Self, DataError> {
        let path = Path::new("images");
        Array::decode(path, bytes, bytes.len() as u64, None).map(|array| Self::of(path, array))
    }

    fn of(path: &Path, Array { sizes: [_, height, width], data }: Array<3>) -> Self {
        Self { path: path.into(), channels: 1, height, width, pixels: data }
    }

    /// Number of images, at least 1.
    #[allow(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.pixels.len() / self.bytes()
    }

    /// Bytes of an image.
    fn bytes(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Channels of an image.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Rows of an image.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns of an image.
    pub fn width(&self) -> usize {
        self.width
    }

    /// All bytes, `[n, height, width, channels]`.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The bytes of image `index`, `[height, width, channels]`, if there are so many images; `&images[index]` panics where there
    /// are not.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        self.iter().nth(index)
    }

    /// The images one after the other.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.pixels.chunks_exact(self.bytes())
    }
}

/// The bytes of an image, `[height, width, channels]`.
impl Index<usize> for Images {
    type Output = [u8];

    /// # Panics
    ///
    /// As a slice's, if there is no such image.
    fn index(&self, index: usize) -> &[u8] {
        self.get(index).unwrap_or_else(|| panic!("there is no image {index} of {}", self.len()))
    }
}

/// Images in memory with a label each, of so many classes.
///
/// ```
/// use cnn_core::data::{Images, LabelledImages};
///
/// let images = || Images::new(1, [2, 2], vec![0; 4 * 4]);
/// let all = LabelledImages::<2>::new(images()?, vec![0, 1, 1, 0])?;
/// assert_eq!((all.len(), all.label(2)), (4, 1));
///
/// let error = LabelledImages::<2>::new(images()?, vec![0, 1, 7, 0]).unwrap_err();
/// assert_eq!(error.to_string(), "labels: label 2: expected a class below 2, found 7");
/// # Ok::<(), cnn_core::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelledImages<const CLASSES: usize> {
    images: Images,
    labels: Vec<u8>,
}

impl<const CLASSES: usize> LabelledImages<CLASSES> {
    /// Joins images and labels after checking that they belong together.
    ///
    /// # Errors
    ///
    /// [`DataError::Counts`] when there are not as many of one as of the other, [`DataError::LabelOutOfRange`] for the first
    /// label that is not below `CLASSES`.
    pub fn new(images: Images, labels: Vec<u8>) -> Result<Self, DataError> {
        Self::join(images, labels, Path::new("labels"))
    }

    /// Reads a pair of IDX files, each raw or (with the feature `gzip`) in gzip: images with three dimensions and labels
    /// with one. See [`Images::read_idx`] for what gzip may unpack to.
    pub fn read_idx(images: impl AsRef<Path>, labels: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = labels.as_ref();
        Self::join(Images::read_idx(images)?, Array::<1>::read(path, None)?.data, path)
    }

    /// The same, if the images announce at most so many pixels, and the labels at most as many labels.
    pub fn read_idx_up_to(
        images: impl AsRef<Path>,
        labels: impl AsRef<Path>,
        pixels: usize,
    ) -> Result<Self, DataError> {
        let path = labels.as_ref();
        let labels = Array::<1>::read(path, Some(pixels))?.data;
        Self::join(Images::read_idx_up_to(images, pixels)?, labels, path)
    }

    /// [`read_idx`](Self::read_idx) from bytes, say from `include_bytes!`.
    pub fn from_idx(images: &[u8], labels: &[u8]) -> Result<Self, DataError> {
        let path = Path::new("labels");
        let labels_data = Array::<1>::decode(path, labels, labels.len() as u64, None)?.data;
        Self::join(Images::from_idx(images)?, labels_data, path)
    }

    pub(super) fn join(images: Images, labels: Vec<u8>, path: &Path) -> Result<Self, DataError> {
        let (path, expected, found) = (path.to_owned(), images.len(), labels.len());
        if found != expected {
            return Err(DataError::Counts { path, images: images.path, expected, found });
        }
        if let Some(index) = labels.iter().position(|&label| usize::from(label) >= CLASSES) {
            return Err(DataError::LabelOutOfRange { path, index, classes: CLASSES, found: labels[index] });
        }
        Ok(Self { images, labels })
    }

    /// Number of samples, at least 1.
    #[allow(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// The images.
    pub fn images(&self) -> &Images {
        &self.images
    }

    /// The class of sample `index`: `labels()[index]` as a number.
    ///
    /// # Panics
    ///
    /// As a slice's index, if there is no such sample.
    pub fn label(&self, index: usize) -> usize {
        self.labels[index].into()
    }

    /// The class of each sample.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }
}

impl<const CLASSES: usize> PictureSource for LabelledImages<CLASSES> {
    type Target = Class<CLASSES>;

    fn len(&self) -> usize {
        self.images.len()
    }

    fn size(&self) -> Option<[usize; 2]> {
        Some([self.images.height, self.images.width])
    }

    fn channels(&self) -> Option<usize> {
        Some(self.images.channels)
    }

    fn path(&self, _: usize) -> PathBuf {
        self.images.path.clone()
    }

    fn read<'a>(&'a self, index: usize, canvas: &mut Canvas<'a>) -> Result<(), DataError> {
        let Some(pixels) = self.images.get(index) else {
            return Err(DataError::NoSuchSample { index, samples: self.len() });
        };
        canvas.borrow_picture([self.images.height, self.images.width], self.images.channels, pixels);
        Ok(())
    }

    fn target(&self, index: usize, _: &Canvas<'_>) -> Result<Class<CLASSES>, DataError> {
        match self.labels.get(index) {
            Some(&label) => Ok(Class(label.into())),
            None => Err(DataError::NoSuchSample { index, samples: self.len() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three_images() -> Images {
        Images::new(1, [1, 2], vec![1, 2, 3, 4, 5, 6]).unwrap()
    }

    #[test]
    fn images_are_whole() {
        let message = |images: Result<Images, DataError>| images.unwrap_err().to_string();
        assert_eq!(
            message(Images::new(3, [2, 2], vec![0; 7])),
            "images: expected a multiple of 2 x 2 pixels of 3 bytes, found 7 bytes"
        );
        assert_eq!(
            message(Images::new(1, [2, 0], vec![0; 7])),
            "images: expected at least one value, found the sizes [7, 2, 0, 1]"
        );
        assert_eq!(
            message(Images::new(1, [2, 2], vec![])),
            "images: expected at least one value, found the sizes [0, 2, 2, 1]"
        );
        assert!(matches!(Images::new(1, [usize::MAX, 2], vec![0]), Err(DataError::TooLarge { .. })));
        assert_eq!(three_images().iter().collect::<Vec<_>>(), [[1, 2], [3, 4], [5, 6]]);
        assert_eq!(three_images()[2], [5, 6]);
        assert_eq!((three_images().get(2), three_images().get(3)), (Some([5, 6].as_slice()), None));
        // Twice as much is 0 in 64 bits.
        assert_eq!(three_images().get(1 << (usize::BITS - 1)), None);
    }

    #[test]
    fn counts_agree() {
        let error = LabelledImages::<10>::new(three_images(), vec![0, 0]).unwrap_err();
        assert_eq!(error.to_string(), "labels: expected 3 labels, as many as images in images, found 2");
    }

    #[test]
    fn labels_are_classes() {
        assert!(LabelledImages::<10>::new(three_images(), vec![0, 9, 1]).is_ok());
        let error = LabelledImages::<10>::new(three_images(), vec![0, 10, 1]).unwrap_err();
        assert_eq!(error.to_string(), "labels: label 1: expected a class below 10, found 10");
    }

    #[test]
    fn a_number_of_no_image_is_an_error() {
        let all = LabelledImages::<1>::new(three_images(), vec![0; 3]).unwrap();
        let error = all.read(3, &mut Canvas::default()).unwrap_err();
        assert_eq!(error.to_string(), "there is no sample 3 of 3");
        assert!(all.target(3, &Canvas::default()).is_err());
    }
}
