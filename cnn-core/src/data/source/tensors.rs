use crate::data::{DataError, Dataset, Draw, Target};
use crate::shape::Shape;
use crate::tensor::{Batch, SampleMut};

/// Samples in memory that are numbers already, with a target each, torch's `TensorDataset`.
///
/// ```
/// use cnn_core::data::Tensors;
/// use cnn_core::prelude::*;
///
/// let inputs = Batch::<Flat<2>>::from_nchw(&[0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0])?;
/// let sums = Tensors::new(inputs, vec![[0.0], [1.0], [1.0], [2.0]])?;
/// assert_eq!(sums.targets()[3], [2.0]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tensors<S, T> {
    inputs: Batch<S>,
    targets: Vec<T>,
}

impl<S: Shape, T> Tensors<S, T> {
    /// Joins inputs and targets.
    ///
    /// # Errors
    ///
    /// [`DataError::Targets`] when there are not as many of one as of the other.
    pub fn new(inputs: Batch<S>, targets: Vec<T>) -> Result<Self, DataError> {
        if inputs.len() == targets.len() {
            Ok(Self { inputs, targets })
        } else {
            Err(DataError::Targets { expected: inputs.len(), found: targets.len() })
        }
    }

    /// The inputs.
    pub fn inputs(&self) -> &Batch<S> {
        &self.inputs
    }

    /// The target of each.
    pub fn targets(&self) -> &[T] {
        &self.targets
    }
}

impl<S: Shape, T: Target + Clone + Sync> Dataset for Tensors<S, T> {
    type Input = S;
    type Target = T;

    fn len(&self) -> usize {
        self.targets.len()
    }

    fn sample(&self, index: usize, _: &mut Draw, mut input: SampleMut<'_, S>) -> Result<T, DataError> {
        let (Some(values), Some(target)) = (self.inputs.get(index), self.targets.get(index)) else {
            return Err(DataError::NoSuchSample { index, samples: self.targets.len() });
        };
        input.values().copy_from_slice(values.values());
        Ok(target.clone())
    }
}
