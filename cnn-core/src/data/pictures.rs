use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::picture::Memory;
use super::{Canvas, DataError, Dataset, Draw, Target, Transforms};
use crate::shape::Chw;
use crate::tensor::SampleMut;

/// Where pictures come from: files, or memory. With [`Transforms`] it becomes a data set, [`Pictures`].
pub trait PictureSource: Sync {
    /// What belongs to a picture.
    type Target: Target;

    /// The number of pictures.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Height and width, if all pictures have the same.
    fn size(&self) -> Option<[usize; 2]> {
        None
    }

    /// Channels, if all pictures have the same.
    fn channels(&self) -> Option<usize> {
        None
    }

    /// The file of a picture, for messages.
    fn path(&self, index: usize) -> PathBuf;

    /// Puts picture `index` on the canvas, and its mask if it has one. What lies in memory is borrowed.
    ///
    /// # Errors
    ///
    /// What is wrong with the picture, with its file's name.
    fn read<'a>(&'a self, index: usize, canvas: &mut Canvas<'a>) -> Result<(), DataError>;

    /// What belongs to picture `index`, after the transforms of the canvas.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    fn target(&self, index: usize, canvas: &Canvas<'_>) -> Result<Self::Target, DataError>;
}

impl<S: PictureSource + Send> PictureSource for Arc<S> {
    type Target = S::Target;

    fn len(&self) -> usize {
        (**self).len()
    }

    fn size(&self) -> Option<[usize; 2]> {
        (**self).size()
    }

    fn channels(&self) -> Option<usize> {
        (**self).channels()
    }

    fn path(&self, index: usize) -> PathBuf {
        (**self).path(index)
    }

    fn read<'a>(&'a self, index: usize, canvas: &mut Canvas<'a>) -> Result<(), DataError> {
        (**self).read(index, canvas)
    }

    fn target(&self, index: usize, canvas: &Canvas<'_>) -> Result<S::Target, DataError> {
        (**self).target(index, canvas)
    }
}

/// Pictures of a source, transformed into inputs of shape `I`, a [`Chw`].
///
/// Pictures of other channels are converted as PIL's `convert("RGB")` and `convert("L")` do, as soon as they are read.
///
/// ```
/// use cnn_core::data::*;
/// use cnn_core::prelude::*;
///
/// let images = || Images::new(1, [4, 4], vec![0; 3 * 16]).and_then(|images| LabelledImages::<2>::new(images, vec![0, 1, 0]));
/// let cropped = Transforms::new().then(CenterCrop::new(2));
/// assert_eq!(Pictures::<_, Chw<3, 2, 2>>::new(images()?, cropped.clone())?.len(), 3);
///
/// let error = Pictures::<_, Chw<3, 4, 4>>::new(images()?, cropped).unwrap_err();
/// assert_eq!(error.to_string(), "the transforms make pictures of 2 x 2, and the network takes 4 x 4");
/// # Ok::<(), DataError>(())
/// ```
#[derive(Debug)]
pub struct Pictures<S, I> {
    source: S,
    transforms: Transforms,
    /// What canvases worked in that are not in use.
    memory: Mutex<Vec<Memory>>,
    input: PhantomData<I>,
}

impl<S: PictureSource, const C: usize, const H: usize, const W: usize> Pictures<S, Chw<C, H, W>> {
    /// Those of a source.
    ///
    /// # Errors
    ///
    /// What the options of the transforms are wrong in; [`DataError::OutputSize`] and [`DataError::Channels`] when it is known
    /// without reading a picture that they will not be of the network's size.
    pub fn new(source: S, transforms: Transforms) -> Result<Self, DataError> {
        transforms.validate(C)?;
        match transforms.output_size(source.size()) {
            Some(found) if found != [H, W] => return Err(DataError::OutputSize { expected: [H, W], found }),
            _ => {}
        }
        match source.channels() {
            Some(found) if !super::picture::converts(found, C) => {
                return Err(DataError::Channels { path: source.path(0), expected: C, found });
            }
            _ => {}
        }
        Ok(Self { source, transforms, memory: Mutex::default(), input: PhantomData })
    }

    /// What they are made of.
    pub fn source(&self) -> &S {
        &self.source
    }

    fn paint<'a>(
        &'a self,
        index: usize,
        draw: &mut Draw,
        canvas: &mut Canvas<'a>,
        values: &mut [f32],
    ) -> Result<S::Target, DataError> {
        self.source.read(index, canvas)?;
        if !canvas.convert(C) {
            return Err(DataError::Channels { path: self.source.path(index), expected: C, found: canvas.channels() });
        }
        self.transforms
            .apply(canvas, draw)
            .map_err(|problem| DataError::InPicture { path: self.source.path(index), problem: Box::new(problem) })?;
        let [height, width] = canvas.size();
        let found = [canvas.channels(), height, width];
        if found != [C, H, W] {
            return Err(DataError::PictureSize { path: self.source.path(index), expected: [C, H, W], found });
        }
        let target = self.source.target(index, canvas)?;
        self.transforms.finish(canvas, draw, values);
        Ok(target)
    }
}

impl<S: PictureSource, const C: usize, const H: usize, const W: usize> Dataset for Pictures<S, Chw<C, H, W>> {
    type Input = Chw<C, H, W>;
    type Target = S::Target;

    fn len(&self) -> usize {
        self.source.len()
    }

    fn sample(
        &self,
        index: usize,
        draw: &mut Draw,
        mut input: SampleMut<'_, Chw<C, H, W>>,
    ) -> Result<S::Target, DataError> {
        if index >= self.source.len() {
            return Err(DataError::NoSuchSample { index, samples: self.source.len() });
        }
        // What a panic left behind is memory like any other.
        let memory = || self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let mut canvas = memory().pop().unwrap_or_default().canvas();
        let target = self.paint(index, draw, &mut canvas, input.values());
        memory().push(canvas.into_memory());
        target
    }
}
