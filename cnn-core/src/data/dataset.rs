use std::sync::Arc;

use super::{DataError, Draw, Target};
use crate::shape::Shape;
use crate::tensor::SampleMut;

/// Samples that a network is trained with or judged by: inputs of the network's static shape, each with a target.
///
/// What reads files here becomes one by [`Pictures`](super::Pictures), and [`Tensors`](super::Tensors) is one in memory. Your own takes
/// a shape, a target and two functions:
///
/// ```
/// use cnn_core::data::{Class, DataError, Dataset, Draw, Loader, LoaderOptions};
/// use cnn_core::prelude::*;
/// use cnn_core::tensor::SampleMut;
///
/// /// Waves of one of two lengths, from anywhere on: another phase in each epoch.
/// struct Waves;
///
/// impl Dataset for Waves {
///     type Input = Flat<64>;
///     type Target = Class<2>;
///
///     fn len(&self) -> usize {
///         1000
///     }
///
///     fn sample(&self, index: usize, draw: &mut Draw, mut input: SampleMut<'_, Flat<64>>) -> Result<Class<2>, DataError> {
///         let (class, phase) = (index % 2, draw.between(0.0, 6.28) as f32);
///         for (place, value) in input.values().iter_mut().enumerate() {
///             *value = (phase + place as f32 * [0.5, 0.7][class]).sin();
///         }
///         Ok(Class(class))
///     }
/// }
///
/// let mut loader = Loader::new(Waves, LoaderOptions::new(50).shuffled())?;
/// for batch in loader.epoch(0) {
///     let batch = batch?;
///     // Labels<2>, as CrossEntropy takes them.
///     assert_eq!((batch.input.len(), batch.targets.len()), (50, 50));
/// }
/// # Ok::<(), DataError>(())
/// ```
///
/// What goes wrong in code of your own becomes a [`DataError`] by [`DataError::other`].
pub trait Dataset: Sync {
    /// The shape of a sample: a network's `Input`.
    type Input: Shape;
    /// What belongs to a sample: [`Class`](super::Class), [`Mask`](super::Mask), `[f32; N]`, `Tensor<S>`, `()`.
    type Target: Target;

    /// The number of samples.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes the input of sample `index`, whole (it holds what was there before), and returns its target. What is random comes
    /// from `draw`, so that it is the same on any number of threads.
    ///
    /// # Errors
    ///
    /// What is wrong with this sample. The loader gives it in the place of the batch.
    fn sample(
        &self,
        index: usize,
        draw: &mut Draw,
        input: SampleMut<'_, Self::Input>,
    ) -> Result<Self::Target, DataError>;
}

impl<D: Dataset + Send> Dataset for Arc<D> {
    type Input = D::Input;
    type Target = D::Target;

    fn len(&self) -> usize {
        (**self).len()
    }

    fn sample(
        &self,
        index: usize,
        draw: &mut Draw,
        input: SampleMut<'_, Self::Input>,
    ) -> Result<Self::Target, DataError> {
        (**self).sample(index, draw, input)
    }
}
