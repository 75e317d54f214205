//! What is done to a picture before a network reads it. Knows no files and no batches.

mod crop;
mod erasing;
mod flip;
mod jitter;
mod options;
mod resize;
mod rotation;

use std::fmt;
use std::sync::Arc;

pub use crop::{CenterCrop, RandomCrop, RandomResizedCrop};
pub use erasing::RandomErasing;
pub use flip::{RandomHorizontalFlip, RandomVerticalFlip};
pub use jitter::ColorJitter;
pub use resize::Resize;
pub use rotation::{RandomAffine, RandomRotation};

use super::{Canvas, DataError, Draw, Normalize};

/// A step of [`Transforms`]. Those of the library have torchvision's names and defaults; a program may write its own:
///
/// ```
/// use cnn_core::data::{Canvas, DataError, Draw, Transform, Transforms};
///
/// /// A negative, by chance.
/// #[derive(Debug)]
/// struct RandomInvert(f64);
///
/// impl Transform for RandomInvert {
///     fn output_size(&self, input: Option<[usize; 2]>) -> Option<[usize; 2]> {
///         input
///     }
///
///     fn apply(&self, canvas: &mut Canvas<'_>, draw: &mut Draw) -> Result<(), DataError> {
///         if draw.chance(self.0) {
///             canvas.pixels_mut().iter_mut().for_each(|byte| *byte = 255 - *byte);
///         }
///         Ok(())
///     }
/// }
///
/// let transforms = Transforms::new().then(RandomInvert(0.5));
/// ```
pub trait Transform: fmt::Debug + Send + Sync {
    /// Checks the options, once, when the transforms are put behind a source.
    ///
    /// # Errors
    ///
    /// [`DataError::TransformOption`] of one that makes no sense.
    fn validate(&self) -> Result<(), DataError> {
        Ok(())
    }

    /// Height and width of what it makes of pictures of this size, where that is known before: `None` of a size that a picture
    /// decides.
    fn output_size(&self, input: Option<[usize; 2]>) -> Option<[usize; 2]>;

    /// Changes the picture and the mask that belongs to it. What is random comes from `draw`.
    ///
    /// # Errors
    ///
    /// What is wrong with this picture.
    fn apply(&self, canvas: &mut Canvas<'_>, draw: &mut Draw) -> Result<(), DataError>;
}

/// From a picture to what a network reads: steps in order, then [`Normalize`], then erasing.
///
/// Without a normalization the bytes 0 to 255 become 0 to 1, torchvision's `ToTensor`. [`RandomErasing`] comes last as in
/// torchvision's own training: what it erases is 0 behind the normalization, the mean colour.
///
/// ```
/// use cnn_core::data::*;
///
/// let training = Transforms::new()
///     .then(RandomResizedCrop::new(224))
///     .then(RandomHorizontalFlip::new(0.5))
///     .then(ColorJitter::new().brightness(0.4).contrast(0.4).saturation(0.4))
///     .normalize(Normalize::imagenet())
///     .erase(RandomErasing::new(0.1));
/// let evaluation = Transforms::new().then(Resize::shorter(256)).then(CenterCrop::new(224)).normalize(Normalize::imagenet());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Transforms {
    steps: Vec<Arc<dyn Transform>>,
    normalize: Normalize,
    erasing: Option<RandomErasing>,
}

impl Transforms {
    /// None: bytes become numbers between 0 and 1.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more step.
    #[must_use]
    pub fn then(mut self, step: impl Transform + 'static) -> Self {
        self.steps.push(Arc::new(step));
        self
    }

    /// What becomes of the bytes.
    #[must_use]
    pub fn normalize(self, normalize: Normalize) -> Self {
        Self { normalize, ..self }
    }

    /// Erases a rectangle at the end.
    #[must_use]
    pub fn erase(self, erasing: RandomErasing) -> Self {
        Self { erasing: Some(erasing), ..self }
    }

    /// Height and width behind all steps, where that is known before.
    pub fn output_size(&self, input: Option<[usize; 2]>) -> Option<[usize; 2]> {
        self.steps.iter().fold(input, |size, step| step.output_size(size))
    }

    /// Checks the options, for pictures of so many channels.
    ///
    /// # Errors
    ///
    /// What a step's options or the normalization's channels are wrong in.
    pub fn validate(&self, channels: usize) -> Result<(), DataError> {
        self.steps.iter().try_for_each(|step| step.validate())?;
        self.normalize.check_channels(channels)?;
        self.erasing.as_ref().map_or(Ok(()), RandomErasing::validate)
    }

    /// The steps before the normalization.
    pub(super) fn apply(&self, canvas: &mut Canvas<'_>, draw: &mut Draw) -> Result<(), DataError> {
        self.steps.iter().try_for_each(|step| step.apply(canvas, draw))
    }

    /// The last step, into `values` of the picture's size, `[h, w, c]`.
    pub(super) fn finish(&self, canvas: &Canvas<'_>, draw: &mut Draw, values: &mut [f32]) {
        self.normalize.convert(canvas.pixels(), canvas.channels(), values);
        if let Some(erasing) = &self.erasing {
            erasing.erase(canvas.size(), canvas.channels(), draw, values);
        }
    }
}
