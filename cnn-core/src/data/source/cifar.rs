//! CIFAR-10 and CIFAR-100 in their binary files: records of labels and three planes of 32 x 32.
//! <https://www.cs.toronto.edu/~kriz/cifar.html>

use std::fs;
use std::path::Path;

use super::images::{Images, LabelledImages};
use crate::data::DataError;

const SIZE: usize = 32;
const PLANE: usize = SIZE * SIZE;
const PICTURE: usize = 3 * PLANE;

impl LabelledImages<10> {
    /// Reads the files of CIFAR-10, such as `data_batch_1.bin` to `data_batch_5.bin` or `test_batch.bin`, one behind the other.
    ///
    /// # Errors
    ///
    /// [`DataError::Io`]; [`DataError::PartialRecord`] of a file that is cut short; [`DataError::LabelOutOfRange`]; [`DataError::Empty`]
    /// of no files or an empty one.
    pub fn read_cifar10(files: impl IntoIterator<Item: AsRef<Path>>) -> Result<Self, DataError> {
        read(files, 1, 0)
    }
}

impl LabelledImages<100> {
    /// Reads files of CIFAR-100, `train.bin` or `test.bin`, with their fine labels.
    ///
    /// # Errors
    ///
    /// As [`LabelledImages::read_cifar10`].
    pub fn read_cifar100(files: impl IntoIterator<Item: AsRef<Path>>) -> Result<Self, DataError> {
        read(files, 2, 1)
    }
}

impl LabelledImages<20> {
    /// Reads files of CIFAR-100, `train.bin` or `test.bin`, with their coarse labels.
    ///
    /// # Errors
    ///
    /// As [`LabelledImages::read_cifar10`].
    pub fn read_cifar100_coarse(files: impl IntoIterator<Item: AsRef<Path>>) -> Result<Self, DataError> {
        read(files, 2, 0)
    }
}

/// Records of so many labels, of which this one is taken.
fn read<const CLASSES: usize>(
    files: impl IntoIterator<Item: AsRef<Path>>,
    labels_of_each: usize,
    taken: usize,
) -> Result<LabelledImages<CLASSES>, DataError> {
    let (mut pixels, mut labels, mut first) = (Vec::new(), Vec::new(), None);
    for file in files {
        let path = file.as_ref();
        let bytes = fs::read(path).map_err(|error| DataError::Io { path: path.into(), error })?;
        let record = labels_of_each + PICTURE;
        if bytes.is_empty() || !bytes.len().is_multiple_of(record) {
            return Err(DataError::PartialRecord { path: path.into(), record, found: bytes.len() as u64 });
        }
        pixels.reserve_exact(bytes.len() / record * PICTURE);
        for (index, record) in bytes.chunks_exact(record).enumerate() {
            let (of_record, planes) = record.split_at(labels_of_each);
            let found = of_record[taken];
            if usize::from(found) >= CLASSES {
                return Err(DataError::LabelOutOfRange { path: path.into(), index, classes: CLASSES, found });
            }
            labels.push(found);
            pixels
                .extend((0..PLANE).flat_map(|place| [planes[place], planes[PLANE + place], planes[2 * PLANE + place]]));
        }
        first.get_or_insert_with(|| path.to_owned());
    }
    let path = first.unwrap_or_else(|| "images".into());
    LabelledImages::join(Images::named(&path, 3, [SIZE; 2], pixels)?, labels, &path)
}
