//! Any number of samples of one shape.

use core::marker::PhantomData;
use core::ops::{Index, IndexMut, Mul};

use super::Tensor;
use super::order;
use super::view::{At, Sample, SampleMut, Samples, SamplesMut};
use crate::Error;
use crate::kernel::memory::buffer::Buffer;
use crate::shape::{Shape, Sizes};

/// Samples of shape `S`; how many is known at run time.
///
/// ```
/// use cnn_core::prelude::*;
///
/// let batch = Batch::<Flat<3>>::from_nchw(&[0.1, 0.7, 0.2, 0.5, 0.3, 0.2])?;
/// assert_eq!(batch.len(), 2);
/// assert_eq!(batch.argmax(), [1, 0]);
/// assert_eq!(batch[(1, 2)], 0.2);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Batch<S> {
    samples: usize,
    values: Buffer,
    shape: PhantomData<S>,
}

impl<S: Shape> Batch<S> {
    /// So many samples of zeros; 0 of them take no memory.
    ///
    /// # Panics
    ///
    /// As `Vec::with_capacity`, when memory cannot have so many values.
    pub fn zeros(samples: usize) -> Self {
        Self { samples, values: Buffer::zeros(Self::values_of(samples)), shape: PhantomData }
    }

    /// How many values so many samples have.
    fn values_of(samples: usize) -> usize {
        samples.checked_mul(S::LEN).expect("a batch has more values than memory can have")
    }

    /// From values in PyTorch's order, `[n, c, h, w]` or `[n, features]`: as many samples as the values make.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyBatch`] without values, [`Error::Length`] when they are no whole number of samples.
    pub fn from_nchw(values: &[f32]) -> Result<Self, Error> {
        Self::checked(values, order::channels_last)
    }

    /// From values with channels last, `[n, h, w, c]` or `[n, features]`: as many samples as the values make.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyBatch`] without values, [`Error::Length`] when they are no whole number of samples.
    pub fn from_nhwc(values: &[f32]) -> Result<Self, Error> {
        Self::checked(values, |_, from, to| to.copy_from_slice(from))
    }

    fn checked(values: &[f32], fill: impl Fn(&[Sizes], &[f32], &mut [f32])) -> Result<Self, Error> {
        if values.is_empty() {
            return Err(Error::EmptyBatch { shape: S::SIZES });
        }
        if !values.len().is_multiple_of(S::LEN) {
            return Err(Error::Length { shape: S::SIZES, found: values.len() });
        }
        let mut batch = Self::zeros(values.len() / S::LEN);
        fill(S::PARTS, values, &mut batch.values);
        Ok(batch)
    }

    /// The values in PyTorch's order: `[n, c, h, w]`, or `[n, features]`.
    pub fn to_nchw(&self) -> Vec<f32> {
        let mut values = vec![0.0; self.values().len()];
        order::channels_first(S::PARTS, self.values(), &mut values);
        values
    }

    /// The number of samples.
    pub fn len(&self) -> usize {
        self.samples
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.samples == 0
    }

    /// Makes it so many samples; what they hold is to be written anew. Allocates only to grow beyond what it ever was.
    ///
    /// # Panics
    ///
    /// As [`zeros`](Self::zeros).
    pub fn resize(&mut self, samples: usize) {
        let values = Self::values_of(samples);
        if values > self.values.len() {
            self.values = Buffer::zeros(values);
        }
        self.samples = samples;
    }

    /// The values as they are kept, channels last: `[n, h, w, c]`, or `[n, features]`.
    pub fn values(&self) -> &[f32] {
        &self.values[..self.samples * S::LEN]
    }

    /// See [`values`](Self::values).
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values[..self.samples * S::LEN]
    }

    /// All samples, borrowed.
    pub fn samples(&self) -> Samples<'_, S> {
        Samples::new(self.values())
    }

    /// All samples, borrowed to be written.
    pub fn samples_mut(&mut self) -> SamplesMut<'_, S> {
        SamplesMut::new(self.values_mut())
    }

    /// The samples in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Sample<'_, S>> {
        self.samples().iter()
    }

    /// The samples in order, to be written.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = SampleMut<'_, S>> {
        self.values_mut().chunks_exact_mut(S::LEN).map(SampleMut::new)
    }

    /// One sample, if there are so many.
    pub fn get(&self, sample: usize) -> Option<Sample<'_, S>> {
        self.values().chunks_exact(S::LEN).nth(sample).map(Sample::new)
    }

    /// The place of every sample's largest value, `[n]`; of features that is the class. See [`Sample::argmax`].
    pub fn argmax(&self) -> Vec<usize> {
        self.iter().map(|sample| sample.argmax()).collect()
    }

    /// Every value replaced by what the function makes of it.
    pub fn map(&self, function: impl Fn(f32) -> f32) -> Self {
        let mut result = self.clone();
        result.values_mut().iter_mut().for_each(|value| *value = function(*value));
        result
    }

    /// The function of every pair of values, such as their sum.
    ///
    /// ```
    /// # use cnn_core::prelude::*;
    /// let ones = Batch::<Flat<2>>::from_nchw(&[1.0, 1.0])?;
    /// assert_eq!(ones.zip_map(&ones, |a, b| a + b)?.values(), [2.0, 2.0]);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Samples`] when the batches are not equally long.
    pub fn zip_map(&self, other: &Self, function: impl Fn(f32, f32) -> f32) -> Result<Self, Error> {
        if self.len() != other.len() {
            return Err(Error::Samples { expected: self.len(), found: other.len() });
        }
        let mut result = self.clone();
        result.values_mut().iter_mut().zip(other.values()).for_each(|(a, &b)| *a = function(*a, b));
        Ok(result)
    }

    /// The sum of two batches.
    ///
    /// # Errors
    ///
    /// [`Error::Samples`] when they are not equally long.
    pub fn add(&self, other: &Self) -> Result<Self, Error> {
        self.zip_map(other, |a, b| a + b)
    }

    /// The difference of two batches.
    ///
    /// # Errors
    ///
    /// [`Error::Samples`] when they are not equally long.
    pub fn sub(&self, other: &Self) -> Result<Self, Error> {
        self.zip_map(other, |a, b| a - b)
    }

    /// The product of two batches, value by value.
    ///
    /// # Errors
    ///
    /// [`Error::Samples`] when they are not equally long.
    pub fn mul(&self, other: &Self) -> Result<Self, Error> {
        self.zip_map(other, |a, b| a * b)
    }
}

/// No samples, which take no memory.
impl<S: Shape> Default for Batch<S> {
    fn default() -> Self {
        Self::zeros(0)
    }
}

impl<S: Shape> PartialEq for Batch<S> {
    fn eq(&self, other: &Self) -> bool {
        self.values() == other.values()
    }
}

impl<S: Shape> Mul<f32> for &Batch<S> {
    type Output = Batch<S>;
    fn mul(self, number: f32) -> Batch<S> {
        self.map(|value| value * number)
    }
}

impl<S: Shape> From<Tensor<S>> for Batch<S> {
    fn from(tensor: Tensor<S>) -> Self {
        let mut batch = Self::zeros(1);
        batch.values_mut().copy_from_slice(tensor.values());
        batch
    }
}

impl<S: Shape> FromIterator<Tensor<S>> for Batch<S> {
    fn from_iter<T: IntoIterator<Item = Tensor<S>>>(tensors: T) -> Self {
        let tensors: Vec<_> = tensors.into_iter().collect();
        let mut batch = Self::zeros(tensors.len());
        for (mut sample, tensor) in batch.samples_mut().iter_mut().zip(&tensors) {
            sample.values().copy_from_slice(tensor.values());
        }
        batch
    }
}

impl<S: Shape> Batch<S> {
    /// Where a value is kept.
    fn place<I>(&self, sample: usize, index: I) -> usize
    where
        S: At<I>,
    {
        assert!(sample < self.samples, "there is no sample {sample} of {}", self.samples);
        sample * S::LEN + S::place(index)
    }
}

/// The value at an index of a sample.
impl<I, S: At<I>> Index<(usize, I)> for Batch<S> {
    type Output = f32;

    /// # Panics
    ///
    /// As a slice's, when there is no such sample or the index is outside of the shape.
    fn index(&self, (sample, index): (usize, I)) -> &f32 {
        &self.values()[self.place(sample, index)]
    }
}

impl<I, S: At<I>> IndexMut<(usize, I)> for Batch<S> {
    fn index_mut(&mut self, (sample, index): (usize, I)) -> &mut f32 {
        let place = self.place(sample, index);
        &mut self.values_mut()[place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Flat;

    #[test]
    #[should_panic(expected = "a batch has more values than memory can have")]
    fn samples_that_overflow_to_none_are_no_batch() {
        let _ = Batch::<Flat<2>>::zeros(1 << (usize::BITS - 1));
    }

    #[test]
    #[should_panic(expected = "there is no sample 9223372036854775808 of 2")]
    fn a_sample_whose_place_overflows_to_the_first_is_none() {
        let _ = Batch::<Flat<2>>::zeros(2)[(1 << (usize::BITS - 1), 0)];
    }
}
