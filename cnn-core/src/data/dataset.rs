use std::ops::Index;
use std::path::{Path, PathBuf};

use super::DataError;
use super::idx::Array;
use super::split;

/// Grey images of one size, a byte a pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    path: PathBuf,
    height: usize,
    width: usize,
    pixels: Vec<u8>,
}

impl Images {
    /// Images from their pixels, row-major, one image behind the other; 0 is black, 255 white.
    ///
    /// # Errors
    ///
    /// [`DataError::Empty`] without pixels or with a size of 0, [`DataError::PartialImage`] when they are no whole number of
    /// images, [`DataError::TooLarge`] when the sizes multiply to more than memory can have.
    pub fn new(height: usize, width: usize, pixels: Vec<u8>) -> Result<Self, DataError> {
        let path = PathBuf::from("images");
        match height.checked_mul(width) {
            None => Err(DataError::TooLarge { path, found: vec![height, width] }),
            Some(size) if size == 0 || pixels.is_empty() => {
                Err(DataError::Empty { path, found: vec![pixels.len(), height, width] })
            }
            Some(size) if !pixels.len().is_multiple_of(size) => {
                Err(DataError::PartialImage { path, height, width, found: pixels.len() })
            }
            Some(_) => Ok(Self { path, height, width, pixels }),
        }
    }

    /// Reads an IDX file with three dimensions, raw or (with the feature `gzip`) in gzip.
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
        Self { path: path.into(), height, width, pixels: data }
    }

    /// Number of images, at least 1.
    #[allow(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.pixels.len() / (self.height * self.width)
    }

    /// Rows of an image.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns of an image.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The pixels of image `index`, row-major, if there are so many; `&images[index]` panics where there are not.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        self.iter().nth(index)
    }

    pub(super) fn no_such_image(&self, index: usize) -> DataError {
        DataError::NoSuchImage { path: self.path.clone(), index, images: self.len() }
    }

    /// The images one after the other.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.pixels.chunks_exact(self.height * self.width)
    }
}

/// The pixels of an image, row-major.
impl Index<usize> for Images {
    type Output = [u8];

    /// # Panics
    ///
    /// As a slice's, if there is no such image.
    fn index(&self, index: usize) -> &[u8] {
        self.get(index).unwrap_or_else(|| panic!("{}", self.no_such_image(index)))
    }
}

/// Images with a label each, every label below the number of classes.
///
/// ```
/// use cnn_core::data::{Dataset, Images};
///
/// let images = Images::new(2, 2, vec![0; 4 * 4])?;
/// let dataset = Dataset::new(images, vec![0, 1, 1, 0], 2)?;
/// let (train, test) = dataset.split_stratified(2, 1)?;
/// assert_eq!((train.len(), test.len()), (2, 2));
///
/// let images = Images::new(2, 2, vec![0; 4 * 4])?;
/// let error = Dataset::new(images, vec![0, 1, 7, 0], 2).unwrap_err();
/// assert_eq!(error.to_string(), "labels: label 2: expected a class below 2, found 7");
/// # Ok::<(), cnn_core::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    images: Images,
    labels: Vec<u8>,
    /// Of the labels.
    path: PathBuf,
    classes: usize,
}

impl Dataset {
    /// Joins images and labels after checking that they belong together.
    ///
    /// # Errors
    ///
    /// [`DataError::Counts`] when there are not as many of one as of the other, [`DataError::LabelOutOfRange`] for the first
    /// label that is not below `classes`.
    pub fn new(images: Images, labels: Vec<u8>, classes: usize) -> Result<Self, DataError> {
        Self::join(images, labels, Path::new("labels"), classes)
    }

    /// Reads a pair of IDX files, each raw or (with the feature `gzip`) in gzip: images with three dimensions and labels
    /// with one. See [`Images::read_idx`] for what gzip may unpack to.
    pub fn read_idx(images: impl AsRef<Path>, labels: impl AsRef<Path>, classes: usize) -> Result<Self, DataError> {
        let path = labels.as_ref();
        Self::join(Images::read_idx(images)?, Array::<1>::read(path, None)?.data, path, classes)
    }

    /// The same, if the images announce at most so many pixels, and the labels at most as many labels.
    pub fn read_idx_up_to(
        images: impl AsRef<Path>,
        labels: impl AsRef<Path>,
        classes: usize,
        pixels: usize,
    ) -> Result<Self, DataError> {
        let path = labels.as_ref();
        let labels = Array::<1>::read(path, Some(pixels))?.data;
        Self::join(Images::read_idx_up_to(images, pixels)?, labels, path, classes)
    }

    /// [`read_idx`](Self::read_idx) from bytes, say from `include_bytes!`.
    pub fn from_idx(images: &[u8], labels: &[u8], classes: usize) -> Result<Self, DataError> {
        let path = Path::new("labels");
        let labels_data = Array::<1>::decode(path, labels, labels.len() as u64, None)?.data;
        Self::join(Images::from_idx(images)?, labels_data, path, classes)
    }

    fn join(images: Images, labels: Vec<u8>, path: &Path, classes: usize) -> Result<Self, DataError> {
        let (path, expected, found) = (path.to_owned(), images.len(), labels.len());
        if found != expected {
            return Err(DataError::Counts { path, images: images.path, expected, found });
        }
        if let Some(index) = labels.iter().position(|&label| usize::from(label) >= classes) {
            return Err(DataError::LabelOutOfRange { path, index, classes, found: labels[index] });
        }
        Ok(Self { images, labels, path, classes })
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

    /// Number of classes, above every label.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// A training part and a test part of `test` samples, with each class in both in its proportion to the whole.
    ///
    /// Which samples are drawn depends on the seed alone; each part keeps the order of the whole. A part may have no sample
    /// of a class that has few.
    ///
    /// # Errors
    ///
    /// [`DataError::SplitSize`] when one of the parts would have no samples.
    pub fn split_stratified(&self, test: usize, seed: u64) -> Result<(Self, Self), DataError> {
        if test == 0 || test >= self.len() {
            return Err(DataError::SplitSize { path: self.path.clone(), available: self.len(), found: test });
        }
        let (train, test) = split::stratified(&self.labels, test, seed);
        Ok((self.select(&train), self.select(&test)))
    }

    fn select(&self, indices: &[usize]) -> Self {
        let images = Images {
            path: self.images.path.clone(),
            height: self.images.height,
            width: self.images.width,
            pixels: indices.iter().flat_map(|&index| &self.images[index]).copied().collect(),
        };
        let labels = indices.iter().map(|&index| self.labels[index]).collect();
        Self { images, labels, path: self.path.clone(), classes: self.classes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three_images() -> Images {
        Images::new(1, 2, vec![1, 2, 3, 4, 5, 6]).unwrap()
    }

    #[test]
    fn images_are_whole() {
        let message = |images: Result<Images, DataError>| images.unwrap_err().to_string();
        assert_eq!(message(Images::new(2, 2, vec![0; 7])), "images: expected a multiple of 2 x 2 pixels, found 7");
        assert_eq!(
            message(Images::new(2, 0, vec![0; 7])),
            "images: expected at least one value, found the sizes [7, 2, 0]"
        );
        assert_eq!(
            message(Images::new(2, 2, vec![])),
            "images: expected at least one value, found the sizes [0, 2, 2]"
        );
        assert!(matches!(Images::new(usize::MAX, 2, vec![0]), Err(DataError::TooLarge { .. })));
        assert_eq!(three_images().iter().collect::<Vec<_>>(), [[1, 2], [3, 4], [5, 6]]);
        assert_eq!(three_images()[2], [5, 6]);
        assert_eq!((three_images().get(2), three_images().get(3)), (Some([5, 6].as_slice()), None));
        // Twice as much is 0 in 64 bits.
        assert_eq!(three_images().get(1 << (usize::BITS - 1)), None);
    }

    #[test]
    fn counts_agree() {
        let error = Dataset::new(three_images(), vec![0, 0], 10).unwrap_err();
        assert_eq!(error.to_string(), "labels: expected 3 labels, as many as images in images, found 2");
    }

    #[test]
    fn labels_are_classes() {
        assert!(Dataset::new(three_images(), vec![0, 9, 1], 10).is_ok());
        let error = Dataset::new(three_images(), vec![0, 10, 1], 10).unwrap_err();
        assert_eq!(error.to_string(), "labels: label 1: expected a class below 10, found 10");
    }

    #[test]
    fn both_parts_of_a_split_have_samples() {
        let dataset = Dataset::new(three_images(), vec![0, 0, 0], 1).unwrap();
        for test in [0, 3, usize::MAX] {
            let error = dataset.split_stratified(test, 0).unwrap_err();
            assert_eq!(error.to_string(), format!("labels: expected a test part of 1 to 2 samples, found {test}"));
        }
        let (train, test) = dataset.split_stratified(1, 0).unwrap();
        assert_eq!((train.len(), test.len()), (2, 1));
    }
}
