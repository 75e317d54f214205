use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Decoding, walk};
use crate::data::{Canvas, DataError, Mask, PictureSource};

/// Pictures with masks: for each picture a PNG file that says the class of each pixel, in grey values or by a palette's numbers.
///
/// Transforms that move pixels move both. A picture is turned as its EXIF orientation says, a mask never: it is drawn as the picture is
/// seen. Needs the feature `images`.
///
/// ```no_run
/// use cnn_core::data::*;
/// use cnn_core::prelude::*;
///
/// // pictures/1.jpg and masks/1.png, ..; 255 marks borders that do not count.
/// let roads = SegmentationFolder::<3>::open("pictures", "masks")?.ignoring(255)?;
/// let transforms = Transforms::new().then(RandomCrop::new(64).pad_if_needed()).then(RandomHorizontalFlip::new(0.5));
/// let set = Pictures::<_, Chw<3, 64, 64>>::new(roads, transforms.normalize(Normalize::imagenet()))?;
/// # Ok::<(), DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentationFolder<const CLASSES: usize> {
    /// Each picture, and its mask.
    pairs: Vec<[PathBuf; 2]>,
    ignored: Option<u8>,
    decoding: Decoding,
}

impl<const CLASSES: usize> SegmentationFolder<CLASSES> {
    /// Lists the files of two folders, which have the same names save for the extension; opens none.
    ///
    /// # Errors
    ///
    /// [`DataError::Io`]; [`DataError::NoPictures`]; [`DataError::NoPartner`] of a picture without a mask, or a mask without a picture;
    /// [`DataError::SameName`]; [`DataError::Extension`]; [`DataError::LinkLoop`].
    pub fn open(pictures: impl AsRef<Path>, masks: impl AsRef<Path>) -> Result<Self, DataError> {
        let (pictures, masks) = (pictures.as_ref(), masks.as_ref());
        let mut by_name = HashMap::<OsString, PathBuf>::new();
        for path in walk::pictures(masks)? {
            if let Some(other) = by_name.insert(name(masks, &path), path.clone()) {
                return Err(DataError::SameName { path, other });
            }
        }
        let mut pairs = Vec::new();
        let mut seen = HashMap::<OsString, PathBuf>::new();
        for path in walk::pictures(pictures)? {
            let name = name(pictures, &path);
            match by_name.remove(&name) {
                Some(mask) => pairs.push([path.clone(), mask]),
                None => {
                    return Err(match seen.remove(&name) {
                        Some(other) => DataError::SameName { path, other },
                        None => DataError::NoPartner { path, folder: masks.into() },
                    });
                }
            }
            seen.insert(name, path);
        }
        if let Some(path) = by_name.into_values().min() {
            return Err(DataError::NoPartner { path, folder: pictures.into() });
        }
        Ok(Self::of(pairs))
    }

    /// These pictures, each with its mask: where names differ, or not all are wanted.
    pub fn of(pairs: Vec<[PathBuf; 2]>) -> Self {
        Self { pairs, ignored: None, decoding: Decoding::new() }
    }

    /// Pixels of this byte do not count; what moves in from outside does not either.
    ///
    /// # Errors
    ///
    /// [`DataError::IgnoredClass`] when it is a class.
    pub fn ignoring(self, class: u8) -> Result<Self, DataError> {
        if usize::from(class) < CLASSES {
            return Err(DataError::IgnoredClass { classes: CLASSES, found: class });
        }
        Ok(Self { ignored: Some(class), ..self })
    }

    /// Decoded in another way.
    #[must_use]
    pub fn decoding(self, decoding: Decoding) -> Self {
        Self { decoding, ..self }
    }

    /// Each picture, and its mask.
    pub fn pairs(&self) -> &[[PathBuf; 2]] {
        &self.pairs
    }
}

/// The path within a folder, without the extension.
fn name(folder: &Path, path: &Path) -> OsString {
    path.strip_prefix(folder).unwrap_or(path).with_extension("").into_os_string()
}

impl<const CLASSES: usize> PictureSource for SegmentationFolder<CLASSES> {
    type Target = Mask<CLASSES>;

    fn len(&self) -> usize {
        self.pairs.len()
    }

    fn path(&self, index: usize) -> PathBuf {
        self.pairs.get(index).map_or_else(PathBuf::new, |[picture, _]| picture.clone())
    }

    fn read<'a>(&'a self, index: usize, canvas: &mut Canvas<'a>) -> Result<(), DataError> {
        let Some([picture, path]) = self.pairs.get(index) else {
            return Err(DataError::NoSuchSample { index, samples: self.pairs.len() });
        };
        self.decoding.read(picture, canvas)?;
        self.decoding.read_mask(path, picture, canvas)?;
        let width = canvas.size()[1];
        let is_wrong = |class: u8| usize::from(class) >= CLASSES && self.ignored != Some(class);
        let mask = canvas.mask().unwrap_or_default();
        if let Some(place) = mask.iter().position(|&class| is_wrong(class)) {
            let (row, column, found) = (place / width, place % width, mask[place]);
            return Err(DataError::MaskClass { path: path.clone(), row, column, classes: CLASSES, found });
        }
        canvas.set_outside(self.ignored.unwrap_or_default());
        Ok(())
    }

    fn target(&self, _: usize, canvas: &Canvas<'_>) -> Result<Mask<CLASSES>, DataError> {
        Ok(Mask { classes: canvas.mask().unwrap_or_default().to_vec(), ignored: self.ignored })
    }
}
