use std::path::{Path, PathBuf};

use super::{Decoding, walk};
use crate::data::{Canvas, Class, DataError, PictureSource};

/// Pictures in a folder for each class, torchvision's `ImageFolder`: PNG and JPEG files, also in folders within.
///
/// Classes are numbered in the order of their names, as Python sorts them. Hidden files and folders do not count; links are
/// followed. Pictures are decoded when they are wanted. Needs the feature `images`.
///
/// ```no_run
/// use cnn_core::data::*;
/// use cnn_core::prelude::*;
///
/// // flowers/daisy/1.jpg, flowers/rose/1.jpg, ..
/// let flowers = ImageFolder::<5>::open("flowers")?;
/// println!("{:?}", flowers.names());
/// let transforms = Transforms::new().then(RandomResizedCrop::new(224)).then(RandomHorizontalFlip::new(0.5));
/// let set = Pictures::<_, Chw<3, 224, 224>>::new(flowers, transforms.normalize(Normalize::imagenet()))?;
/// let mut loader = Loader::new(set, LoaderOptions::new(32).shuffled().seed(1).workers(2))?;
/// # Ok::<(), DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFolder<const CLASSES: usize> {
    names: Vec<String>,
    files: Vec<PathBuf>,
    labels: Vec<usize>,
    decoding: Decoding,
}

impl<const CLASSES: usize> ImageFolder<CLASSES> {
    /// Lists the files; opens none.
    ///
    /// # Errors
    ///
    /// [`DataError::Io`]; [`DataError::NoClasses`] and [`DataError::ClassFolders`] when there are not as many folders as classes;
    /// [`DataError::NoPictures`] of a class without any; [`DataError::Extension`] of a kind of picture that is not read here;
    /// [`DataError::LinkLoop`].
    pub fn open(root: impl AsRef<Path>) -> Result<Self, DataError> {
        Self::open_if(root.as_ref(), |found| found == CLASSES)
    }

    /// The same of a folder of as many classes, or fewer: of a network that tells more of them apart.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub fn open_some(root: impl AsRef<Path>) -> Result<Self, DataError> {
        Self::open_if(root.as_ref(), |found| found <= CLASSES)
    }

    fn open_if(root: &Path, is_right: impl Fn(usize) -> bool) -> Result<Self, DataError> {
        let folders = walk::folders(root)?;
        let name = |folder: &PathBuf| folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let names: Vec<String> = folders.iter().map(name).collect();
        if names.is_empty() {
            return Err(DataError::NoClasses { path: root.into() });
        }
        if !is_right(names.len()) {
            return Err(DataError::ClassFolders { path: root.into(), expected: CLASSES, found: names });
        }
        let (mut files, mut labels) = (Vec::new(), Vec::new());
        for (class, folder) in folders.iter().enumerate() {
            files.extend(walk::pictures(folder)?);
            labels.resize(files.len(), class);
        }
        Ok(Self { names, files, labels, decoding: Decoding::new() })
    }

    /// Decoded in another way.
    #[must_use]
    pub fn decoding(self, decoding: Decoding) -> Self {
        Self { decoding, ..self }
    }

    /// The names of the classes.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The file of each picture.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The class of each picture.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }
}

impl<const CLASSES: usize> PictureSource for ImageFolder<CLASSES> {
    type Target = Class<CLASSES>;

    fn len(&self) -> usize {
        self.files.len()
    }

    fn path(&self, index: usize) -> PathBuf {
        self.files.get(index).cloned().unwrap_or_default()
    }

    fn read<'a>(&'a self, index: usize, canvas: &mut Canvas<'a>) -> Result<(), DataError> {
        let Some(file) = self.files.get(index) else {
            return Err(DataError::NoSuchSample { index, samples: self.files.len() });
        };
        self.decoding.read(file, canvas)
    }

    fn target(&self, index: usize, _: &Canvas<'_>) -> Result<Class<CLASSES>, DataError> {
        match self.labels.get(index) {
            Some(&label) => Ok(Class(label)),
            None => Err(DataError::NoSuchSample { index, samples: self.files.len() }),
        }
    }
}
