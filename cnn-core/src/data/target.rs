//! What belongs to samples, and what becomes of it in a batch.

use super::DataError;
use crate::loss::Labels;
use crate::shape::{Flat, Shape};
use crate::tensor::{Batch, Tensor};

/// What belongs to a sample, and how a batch holds it: as the losses take it.
///
/// | of a sample | of a batch | for |
/// |:--|:--|:--|
/// | [`Class<N>`](Class) | [`Labels<N>`](Labels) | `CrossEntropy`, `NegativeLogLikelihood` |
/// | [`Mask<N>`](Mask) | [`Labels<N>`](Labels), row by row | the same, of maps |
/// | `[f32; N]` | `Batch<Flat<N>>` | `MeanSquaredError`, `SoftCrossEntropy` |
/// | [`Tensor<S>`](Tensor) | `Batch<S>` | the same |
/// | `()` | `()` | predictions |
pub trait Target: Sized {
    /// Those of a batch.
    type Batch: Default + Send + 'static;

    /// Makes a batch ready for so many targets. Allocates only to hold more than ever before.
    fn start(samples: usize, batch: &mut Self::Batch);

    /// Puts the target of a sample into a batch; they come in order.
    ///
    /// # Errors
    ///
    /// What the target is wrong in.
    fn put(self, sample: usize, batch: &mut Self::Batch) -> Result<(), DataError>;
}

/// The class of a sample, below `CLASSES`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class<const CLASSES: usize>(pub usize);

/// The class of each pixel of a sample, row by row, each below `CLASSES`; those of one byte do not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask<const CLASSES: usize> {
    /// The classes.
    pub classes: Vec<u8>,
    /// The byte of pixels that do not count, which is no class.
    pub ignored: Option<u8>,
}

impl<const CLASSES: usize> Target for Class<CLASSES> {
    type Batch = Labels<CLASSES>;

    fn start(_: usize, batch: &mut Self::Batch) {
        batch.clear();
    }

    fn put(self, _: usize, batch: &mut Self::Batch) -> Result<(), DataError> {
        batch.push(self.0).map_err(|_| DataError::NoClass { classes: CLASSES, found: self.0 })
    }
}

impl<const CLASSES: usize> Target for Mask<CLASSES> {
    type Batch = Labels<CLASSES>;

    fn start(_: usize, batch: &mut Self::Batch) {
        batch.clear();
    }

    fn put(self, _: usize, batch: &mut Self::Batch) -> Result<(), DataError> {
        for class in self.classes {
            if self.ignored == Some(class) {
                batch.push_ignored();
            } else {
                let found = class.into();
                batch.push(found).map_err(|_| DataError::NoClass { classes: CLASSES, found })?;
            }
        }
        Ok(())
    }
}

impl<const N: usize> Target for [f32; N] {
    type Batch = Batch<Flat<N>>;

    fn start(samples: usize, batch: &mut Self::Batch) {
        batch.resize(samples);
    }

    fn put(self, sample: usize, batch: &mut Self::Batch) -> Result<(), DataError> {
        batch.values_mut()[sample * N..][..N].copy_from_slice(&self);
        Ok(())
    }
}

impl<S: Shape> Target for Tensor<S> {
    type Batch = Batch<S>;

    fn start(samples: usize, batch: &mut Self::Batch) {
        batch.resize(samples);
    }

    fn put(self, sample: usize, batch: &mut Self::Batch) -> Result<(), DataError> {
        batch.values_mut()[sample * S::LEN..][..S::LEN].copy_from_slice(self.values());
        Ok(())
    }
}

impl Target for () {
    type Batch = ();

    fn start(_: usize, (): &mut ()) {}

    fn put(self, _: usize, (): &mut ()) -> Result<(), DataError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch<T: Target>(
        targets: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
    ) -> Result<T::Batch, DataError> {
        let (targets, mut batch) = (targets.into_iter(), T::Batch::default());
        T::start(targets.len(), &mut batch);
        targets.enumerate().try_for_each(|(sample, target)| target.put(sample, &mut batch))?;
        Ok(batch)
    }

    #[test]
    fn targets_become_what_losses_take() {
        assert_eq!(batch([Class::<3>(2), Class(0)]).unwrap(), Labels::new(&[2, 0]).unwrap());
        let mask = Mask::<3> { classes: vec![0, 255, 2], ignored: Some(255) };
        assert_eq!(batch([mask]).unwrap(), Labels::ignoring(255, &[0, 255, 2]).unwrap());
        assert_eq!(batch([[1.0, 2.0], [3.0, 4.0]]).unwrap().values(), [1.0, 2.0, 3.0, 4.0]);
        let tensor = Tensor::<Flat<2>>::from_nchw(&[5.0, 6.0]).unwrap();
        assert_eq!(batch([tensor.clone(), tensor]).unwrap().values(), [5.0, 6.0, 5.0, 6.0]);
        batch([(), ()]).unwrap();
    }

    #[test]
    fn what_is_no_class_is_an_error() {
        let error = batch([Class::<3>(2), Class(3)]).unwrap_err();
        assert_eq!(error.to_string(), "expected a class below 3, found 3");
        let mask = Mask::<3> { classes: vec![0, 254, 2], ignored: Some(255) };
        assert_eq!(batch([mask]).unwrap_err().to_string(), "expected a class below 3, found 254");
    }
}
