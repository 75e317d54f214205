use super::{Canvas, DataError, Dataset, Draw, PictureSource};
use crate::tensor::SampleMut;
use std::path::PathBuf;

/// Some of the samples of a data set or of a source of pictures, by their numbers: a view, no copy.
///
/// Several of them share what they are of by an `Arc`. A split before the transforms lets each part have its own:
///
/// ```
/// use std::sync::Arc;
/// use cnn_core::data::*;
/// use cnn_core::prelude::*;
///
/// let images = Images::new(1, [2, 2], vec![0; 8 * 4])?;
/// let all = Arc::new(LabelledImages::<2>::new(images, vec![0, 1, 1, 0, 1, 0, 0, 1])?);
/// let parts = stratified_split(all.labels(), [Part::Rest, Part::Count(2)], 1)?;
/// let [training, test] = parts.map(|part| Subset::new(Arc::clone(&all), part));
///
/// let flipped = Transforms::new().then(RandomHorizontalFlip::new(0.5));
/// let training = Pictures::<_, Chw<1, 2, 2>>::new(training, flipped)?;
/// let test = Pictures::<_, Chw<1, 2, 2>>::new(test, Transforms::new())?;
/// assert_eq!((training.len(), test.len()), (6, 2));
/// # Ok::<(), DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subset<D> {
    all: D,
    indices: Vec<usize>,
}

impl<D> Subset<D> {
    /// Those of these numbers, in this order; one may come several times.
    pub fn new(all: D, indices: Vec<usize>) -> Self {
        Self { all, indices }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// The whole that they are of.
    pub fn all(&self) -> &D {
        &self.all
    }

    /// Their numbers in the whole.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }

    /// Of what the whole has for each of its samples, such as its labels, that of the samples in here.
    ///
    /// # Panics
    ///
    /// As a slice's index, when the whole has less.
    pub fn of<T: Copy>(&self, each: &[T]) -> Vec<T> {
        self.indices.iter().map(|&index| each[index]).collect()
    }

    fn index(&self, index: usize) -> Result<usize, DataError> {
        self.indices.get(index).copied().ok_or(DataError::NoSuchSample { index, samples: self.len() })
    }
}

impl<D: Dataset> Dataset for Subset<D> {
    type Input = D::Input;
    type Target = D::Target;

    fn len(&self) -> usize {
        self.indices.len()
    }

    fn sample(
        &self,
        index: usize,
        draw: &mut Draw,
        input: SampleMut<'_, Self::Input>,
    ) -> Result<Self::Target, DataError> {
        self.all.sample(self.index(index)?, draw, input)
    }
}

impl<S: PictureSource> PictureSource for Subset<S> {
    type Target = S::Target;

    fn len(&self) -> usize {
        self.indices.len()
    }

    fn size(&self) -> Option<[usize; 2]> {
        self.all.size()
    }

    fn channels(&self) -> Option<usize> {
        self.all.channels()
    }

    fn path(&self, index: usize) -> PathBuf {
        self.indices.get(index).map_or_else(PathBuf::new, |&index| self.all.path(index))
    }

    fn read<'a>(&'a self, index: usize, canvas: &mut Canvas<'a>) -> Result<(), DataError> {
        self.all.read(self.index(index)?, canvas)
    }

    fn target(&self, index: usize, canvas: &Canvas<'_>) -> Result<S::Target, DataError> {
        self.all.target(self.index(index)?, canvas)
    }
}
