//! Borrowed samples: what a layer sees of a batch. Knows shapes and slices only.

use core::marker::PhantomData;
use core::ops::{Index, IndexMut};

use crate::shape::{Chw, Flat, Probabilities, Shape};

/// Where a sample of this shape keeps the value at an index: `[c, h, w]` of a [`Chw`], a number of a [`Flat`].
pub trait At<I>: Shape {
    /// The place in the channels-last values.
    ///
    /// # Panics
    ///
    /// When the index is outside of the shape, as a slice's would. So do all that are indexed by it: [`Tensor`], [`Batch`],
    /// [`Part`] and their samples.
    ///
    /// [`Tensor`]: super::Tensor
    /// [`Batch`]: super::Batch
    /// [`Part`]: super::Part
    fn place(index: I) -> usize;
}

impl<const C: usize, const H: usize, const W: usize> At<[usize; 3]> for Chw<C, H, W> {
    fn place([c, h, w]: [usize; 3]) -> usize {
        assert!(c < C && h < H && w < W, "[{c}, {h}, {w}] is outside of a {} map", Self::SIZES);
        (h * W + w) * C + c
    }
}

impl<const N: usize> At<usize> for Flat<N> {
    fn place(index: usize) -> usize {
        assert!(index < N, "{index} is outside of {N} features");
        index
    }
}

impl<I, S: At<I>> At<I> for Probabilities<S> {
    fn place(index: I) -> usize {
        S::place(index)
    }
}

/// One sample of shape `S`, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a, S>(&'a [f32], PhantomData<S>);

/// One sample of shape `S`, borrowed to be written.
#[derive(Debug)]
pub struct SampleMut<'a, S>(&'a mut [f32], PhantomData<S>);

impl<'a, S: Shape> Sample<'a, S> {
    pub(crate) fn new(values: &'a [f32]) -> Self {
        debug_assert_eq!(values.len(), S::LEN);
        Self(values, PhantomData)
    }

    /// All values, channels last: `[h, w, c]`, or the features.
    pub fn values(&self) -> &'a [f32] {
        self.0
    }

    /// It as all the samples there are.
    pub fn alone(self) -> Samples<'a, S> {
        Samples::new(self.0)
    }

    /// The place of the largest value in [`values`](Self::values), the first of equals; of features that is the class.
    /// A NaN is larger than any number, as in PyTorch.
    pub fn argmax(&self) -> usize {
        argmax(self.0.iter().copied())
    }
}

impl<'a, S: Shape> SampleMut<'a, S> {
    pub(crate) fn new(values: &'a mut [f32]) -> Self {
        debug_assert_eq!(values.len(), S::LEN);
        Self(values, PhantomData)
    }

    /// All values, channels last: `[h, w, c]`, or the features.
    pub fn values(&mut self) -> &mut [f32] {
        self.0
    }
}

impl<I, S: At<I>> Index<I> for Sample<'_, S> {
    type Output = f32;
    fn index(&self, index: I) -> &f32 {
        &self.0[S::place(index)]
    }
}

impl<I, S: At<I>> Index<I> for SampleMut<'_, S> {
    type Output = f32;
    fn index(&self, index: I) -> &f32 {
        &self.0[S::place(index)]
    }
}

impl<I, S: At<I>> IndexMut<I> for SampleMut<'_, S> {
    fn index_mut(&mut self, index: I) -> &mut f32 {
        &mut self.0[S::place(index)]
    }
}

/// Any number of samples of shape `S`, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct Samples<'a, S>(&'a [f32], PhantomData<S>);

/// Any number of samples of shape `S`, borrowed to be written.
#[derive(Debug)]
pub struct SamplesMut<'a, S>(&'a mut [f32], PhantomData<S>);

impl<'a, S: Shape> Samples<'a, S> {
    pub(crate) fn new(values: &'a [f32]) -> Self {
        assert!(values.len().is_multiple_of(S::LEN));
        Self(values, PhantomData)
    }

    /// The number of samples.
    pub fn len(&self) -> usize {
        self.0.len() / S::LEN
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All values, sample after sample, channels last.
    pub fn values(&self) -> &'a [f32] {
        self.0
    }

    /// The samples in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Sample<'a, S>> + use<'a, S> {
        self.0.chunks_exact(S::LEN).map(Sample::new)
    }
}

impl<'a, S: Shape> SamplesMut<'a, S> {
    pub(crate) fn new(values: &'a mut [f32]) -> Self {
        assert!(values.len().is_multiple_of(S::LEN));
        Self(values, PhantomData)
    }

    /// The number of samples.
    pub fn len(&self) -> usize {
        self.0.len() / S::LEN
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All values, sample after sample, channels last.
    pub fn values(&mut self) -> &mut [f32] {
        self.0
    }

    /// The samples in order.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = SampleMut<'_, S>> {
        self.0.chunks_exact_mut(S::LEN).map(SampleMut::new)
    }
}

/// The place of the largest value, the first of equals; a NaN is larger than any number.
pub(crate) fn argmax(values: impl IntoIterator<Item = f32>) -> usize {
    let larger = |value: f32, best: f32| value > best || (value.is_nan() && !best.is_nan());
    let mut values = values.into_iter().enumerate();
    let first = values.next().unwrap_or_default();
    values.fold(first, |best, next| if larger(next.1, best.1) { next } else { best }).0
}
