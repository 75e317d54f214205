//! One sample.

use core::marker::PhantomData;
use core::ops::{Add, Index, IndexMut, Mul, Sub};

use super::order;
use super::view::{At, argmax};
use crate::Error;
use crate::kernel::memory::buffer::Buffer;
use crate::shape::Shape;

/// One sample of shape `S`.
///
/// ```
/// use cnn_core::prelude::*;
///
/// let image = Tensor::<Chw<3, 2, 2>>::from_nchw(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0])?;
/// assert_eq!(image[[1, 0, 1]], 5.0);
/// let brighter = &image * 2.0;
/// assert_eq!((&brighter + &image)[[1, 0, 1]], 15.0);
/// # Ok::<(), Error>(())
/// ```
///
/// Tensors of another shape do not add:
///
/// ```compile_fail,E0308
/// # use cnn_core::prelude::*;
/// let sum = &Tensor::<Flat<3>>::zeros() + &Tensor::<Flat<4>>::zeros();
/// ```
#[derive(Clone, Debug)]
pub struct Tensor<S> {
    values: Buffer,
    shape: PhantomData<S>,
}

impl<S: Shape> Tensor<S> {
    /// All zeros.
    pub fn zeros() -> Self {
        Self { values: Buffer::zeros(S::LEN), shape: PhantomData }
    }

    /// From values in PyTorch's order: `[c, h, w]`, or the features.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] when there are not exactly `S::LEN` values.
    pub fn from_nchw(values: &[f32]) -> Result<Self, Error> {
        Self::checked(values, order::channels_last)
    }

    /// From values with channels last: `[h, w, c]`, or the features.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] when there are not exactly `S::LEN` values.
    pub fn from_nhwc(values: &[f32]) -> Result<Self, Error> {
        Self::checked(values, |_, from, to| to.copy_from_slice(from))
    }

    fn checked(values: &[f32], fill: impl Fn(&[crate::shape::Sizes], &[f32], &mut [f32])) -> Result<Self, Error> {
        if values.len() != S::LEN {
            return Err(Error::Length { shape: S::SIZES, found: values.len() });
        }
        let mut tensor = Self::zeros();
        fill(S::PARTS, values, &mut tensor.values);
        Ok(tensor)
    }

    /// The values in PyTorch's order: `[c, h, w]`, or the features.
    pub fn to_nchw(&self) -> Vec<f32> {
        let mut values = vec![0.0; S::LEN];
        order::channels_first(S::PARTS, &self.values, &mut values);
        values
    }

    /// The values as they are kept, channels last: `[h, w, c]`, or the features.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// See [`values`](Self::values).
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// The place of the largest value in [`values`](Self::values), the first of equals; of features that is the class.
    /// A NaN is larger than any number, as in PyTorch.
    pub fn argmax(&self) -> usize {
        argmax(self.values.iter().copied())
    }

    /// Every value replaced by what the function makes of it.
    pub fn map(&self, function: impl Fn(f32) -> f32) -> Self {
        let mut result = self.clone();
        result.values.iter_mut().for_each(|value| *value = function(*value));
        result
    }

    fn zip(&self, other: &Self, function: impl Fn(f32, f32) -> f32) -> Self {
        let mut result = self.clone();
        result.values.iter_mut().zip(other.values.iter()).for_each(|(a, &b)| *a = function(*a, b));
        result
    }
}

impl<S: Shape> PartialEq for Tensor<S> {
    fn eq(&self, other: &Self) -> bool {
        self.values() == other.values()
    }
}

impl<I, S: At<I>> Index<I> for Tensor<S> {
    type Output = f32;
    fn index(&self, index: I) -> &f32 {
        &self.values[S::place(index)]
    }
}

impl<I, S: At<I>> IndexMut<I> for Tensor<S> {
    fn index_mut(&mut self, index: I) -> &mut f32 {
        &mut self.values[S::place(index)]
    }
}

impl<S: Shape> Add for &Tensor<S> {
    type Output = Tensor<S>;
    fn add(self, other: Self) -> Tensor<S> {
        self.zip(other, |a, b| a + b)
    }
}

impl<S: Shape> Sub for &Tensor<S> {
    type Output = Tensor<S>;
    fn sub(self, other: Self) -> Tensor<S> {
        self.zip(other, |a, b| a - b)
    }
}

impl<S: Shape> Mul for &Tensor<S> {
    type Output = Tensor<S>;
    fn mul(self, other: Self) -> Tensor<S> {
        self.zip(other, |a, b| a * b)
    }
}

impl<S: Shape> Add<f32> for &Tensor<S> {
    type Output = Tensor<S>;
    fn add(self, number: f32) -> Tensor<S> {
        self.map(|value| value + number)
    }
}

impl<S: Shape> Mul<f32> for &Tensor<S> {
    type Output = Tensor<S>;
    fn mul(self, number: f32) -> Tensor<S> {
        self.map(|value| value * number)
    }
}
