//! Some of the channels of every sample of a batch, where they are. Knows shapes and slices only.

use core::fmt;
use core::marker::PhantomData;
use core::ops::{Index, Range};

use super::view::{At, argmax};
use super::{Batch, Samples, Tensor};
use crate::shape::Shape;

/// A part of every sample, as a batch of shape `S` that is borrowed from a wider one: some of the channels, which a labelled
/// branch of a last `concat` made (of features, some of the features), or one of several outputs.
///
/// ```
/// use cnn_core::prelude::*;
/// use cnn_core::tensor::Part;
///
/// let output = Batch::<Flat<3>>::from_nchw(&[0.1, 0.7, 0.2, 0.5, 0.3, 0.4])?;
/// let scores: Part<'_, Flat<2>> = output.samples().part(1);
/// assert_eq!(scores.len(), 2);
/// assert_eq!(scores[(1, 0)], 0.3);
/// assert_eq!(scores.argmax(), [0, 1]);
/// assert_eq!(scores.to_batch(), Batch::from_nchw(&[0.7, 0.2, 0.3, 0.4])?);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Part<'a, S> {
    /// Of all samples, whole.
    values: &'a [f32],
    samples: usize,
    /// Values from a sample to the next.
    sample: usize,
    /// Values from a cell to the next.
    stride: usize,
    /// The first value of the first cell of a sample.
    first: usize,
    shape: PhantomData<S>,
}

/// One sample of a [`Part`].
#[derive(Clone, Copy)]
pub struct PartSample<'a, S>(Part<'a, S>);

impl<'a, W: Shape> Samples<'a, W> {
    /// The channels of every sample from `first` on, as many as `S` has.
    ///
    /// # Panics
    ///
    /// When there are not so many, or `S` has another height or width.
    pub fn part<S: Shape>(self, first: usize) -> Part<'a, S> {
        let (whole, part) = (W::SIZES, S::SIZES);
        assert!(
            [part.height(), part.width()] == [whole.height(), whole.width()]
                && first.checked_add(part.channels()).is_some_and(|end| end <= whole.channels()),
            "there is no {part} part of a {whole} map from channel {first} on"
        );
        let (samples, sample, stride) = (self.len(), whole.len(), whole.channels());
        Part { values: self.values(), samples, sample, stride, first, shape: PhantomData }
    }

    /// A map that lies whole in every sample, from the value `first` on.
    ///
    /// # Panics
    ///
    /// When there are not so many values.
    #[doc(hidden)]
    pub fn lying<S: Shape>(self, first: usize) -> Part<'a, S> {
        assert!(first.checked_add(S::LEN).is_some_and(|end| end <= W::LEN), "there is no {} map there", S::SIZES);
        let stride = S::SIZES.channels();
        Part { values: self.values(), samples: self.len(), sample: W::LEN, stride, first, shape: PhantomData }
    }
}

impl<'a, S: Shape> Part<'a, S> {
    /// The number of samples.
    pub fn len(&self) -> usize {
        self.samples
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.samples == 0
    }

    /// Which channels of the wider map they are; of one of several outputs, all of its own.
    pub fn channels(&self) -> Range<usize> {
        let (first, channels) = (self.first, S::SIZES.channels());
        if self.stride == channels { 0..channels } else { first..first + channels }
    }

    /// One sample, if there are so many.
    pub fn get(&self, sample: usize) -> Option<PartSample<'a, S>> {
        (sample < self.samples).then(|| self.sample(sample))
    }

    /// One sample.
    ///
    /// # Panics
    ///
    /// When there are not so many.
    pub fn sample(&self, sample: usize) -> PartSample<'a, S> {
        assert!(sample < self.samples, "there is no sample {sample} of {}", self.samples);
        PartSample(Self { values: &self.values[sample * self.sample..][..self.sample], samples: 1, ..*self })
    }

    /// The samples in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = PartSample<'a, S>> + use<'a, S> {
        let part = *self;
        (0..self.samples).map(move |sample| part.sample(sample))
    }

    /// The channels of every position of every sample: `[n, h, w]` slices of `c` values, or the features of each sample.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &'a [f32]> + use<'a, S> {
        let (part, channels, positions) = (*self, S::SIZES.channels(), S::SIZES.positions());
        (0..self.samples * positions).map(move |row| {
            let sample = &part.values[row / positions * part.sample..];
            &sample[part.first + row % positions * part.stride..][..channels]
        })
    }

    /// The place of every sample's largest value; of features that is the class. See [`Sample::argmax`](super::Sample::argmax).
    pub fn argmax(&self) -> Vec<usize> {
        self.iter().map(|sample| sample.argmax()).collect()
    }

    /// A copy of the values in PyTorch's order: `[n, c, h, w]`, or `[n, features]`.
    pub fn to_nchw(&self) -> Vec<f32> {
        self.to_batch().to_nchw()
    }

    /// A copy of its own.
    pub fn to_batch(&self) -> Batch<S> {
        let mut batch = Batch::zeros(self.samples);
        self.copy_to(batch.values_mut());
        batch
    }

    fn copy_to(&self, values: &mut [f32]) {
        let rows = values.chunks_exact_mut(S::SIZES.channels()).zip(self.rows());
        rows.for_each(|(to, from)| to.copy_from_slice(from));
    }

    /// The value at a place of a sample.
    fn at(&self, sample: usize, place: usize) -> &f32 {
        assert!(sample < self.samples, "there is no sample {sample} of {}", self.samples);
        let channels = S::SIZES.channels();
        &self.values[sample * self.sample + self.first + place / channels * self.stride + place % channels]
    }
}

impl<'a, S: Shape> PartSample<'a, S> {
    /// The channels of every position: `[h, w]` slices of `c` values, or one slice of all features.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &'a [f32]> + use<'a, S> {
        self.0.rows()
    }

    /// The place of the largest value among the [`rows`](Self::rows), the first of equals; of features that is the class.
    /// A NaN is larger than any number, as in PyTorch.
    pub fn argmax(&self) -> usize {
        argmax(self.rows().flatten().copied())
    }

    /// A copy of the values in PyTorch's order: `[c, h, w]`, or the features.
    pub fn to_nchw(&self) -> Vec<f32> {
        self.to_tensor().to_nchw()
    }

    /// A copy of its own.
    pub fn to_tensor(&self) -> Tensor<S> {
        let mut tensor = Tensor::zeros();
        self.0.copy_to(tensor.values_mut());
        tensor
    }
}

/// Its own rows, and not the wider map that they lie in.
impl<S: Shape> fmt::Debug for Part<'_, S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

impl<S: Shape> fmt::Debug for PartSample<'_, S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.rows()).finish()
    }
}

impl<I, S: At<I>> Index<(usize, I)> for Part<'_, S> {
    type Output = f32;
    fn index(&self, (sample, index): (usize, I)) -> &f32 {
        self.at(sample, S::place(index))
    }
}

impl<I, S: At<I>> Index<I> for PartSample<'_, S> {
    type Output = f32;
    fn index(&self, index: I) -> &f32 {
        self.0.at(0, S::place(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{Chw, Flat};

    /// Two samples of 5 channels on a 2 x 3 map: a value says where it is.
    fn whole() -> Batch<Chw<5, 2, 3>> {
        let values: Vec<f32> = (0..60).map(|index| index as f32).collect();
        Batch::from_nchw(&values).unwrap()
    }

    #[test]
    fn a_part_is_the_channels_that_it_says_it_is() {
        let whole = whole();
        let part: Part<'_, Chw<2, 2, 3>> = whole.samples().part(3);
        assert_eq!((part.len(), part.is_empty(), part.channels()), (2, false, 3..5));
        for n in 0..2 {
            for (c, h, w) in [(0, 0, 0), (1, 0, 2), (0, 1, 1), (1, 1, 2)] {
                let expected = whole[(n, [3 + c, h, w])];
                assert_eq!(part[(n, [c, h, w])], expected);
                assert_eq!(part.sample(n)[[c, h, w]], expected);
                assert_eq!(part.to_batch()[(n, [c, h, w])], expected);
                assert_eq!(part.sample(n).to_tensor()[[c, h, w]], expected);
            }
        }
        let expected: Vec<f32> = (18..30).chain(48..60).map(|index| index as f32).collect();
        assert_eq!(part.to_nchw(), expected);
        let samples: Vec<_> = part.iter().flat_map(|sample| sample.to_nchw()).collect();
        assert_eq!(samples, expected);
        assert_eq!(part.rows().nth(7), Some([49.0, 55.0].as_slice()));
        assert_eq!(part.argmax(), [11, 11]);
        assert!(part.get(1).is_some() && part.get(2).is_none());
    }

    #[test]
    fn a_part_shows_its_own_values() {
        let whole = Batch::<Flat<3>>::from_nchw(&[0.1, 0.7, 0.2, 0.5, 0.3, 0.4]).unwrap();
        let part: Part<'_, Flat<2>> = whole.samples().part(1);
        assert_eq!(format!("{part:?}"), "[[[0.7, 0.2]], [[0.3, 0.4]]]");
        assert_eq!(format!("{:?}", part.sample(1)), "[[0.3, 0.4]]");
    }

    #[test]
    fn all_channels_are_a_part_and_no_samples_have_parts() {
        let whole = whole();
        assert_eq!(whole.samples().part::<Chw<5, 2, 3>>(0).to_batch(), whole);
        let none = Batch::<Flat<3>>::zeros(0);
        let part: Part<'_, Flat<2>> = none.samples().part(0);
        assert!(part.is_empty() && part.to_nchw().is_empty() && part.iter().next().is_none());
    }

    #[test]
    #[should_panic(expected = "there is no 2x2x3 part of a 5x2x3 map from channel 4 on")]
    fn channels_that_are_not_there_are_no_part() {
        let _: Part<'_, Chw<2, 2, 3>> = whole().samples().part(4);
    }

    #[test]
    #[should_panic(expected = "[2, 0, 0] is outside of a 2x2x3 map")]
    fn the_next_channel_is_another_part_s() {
        let whole = whole();
        let part: Part<'_, Chw<2, 2, 3>> = whole.samples().part(0);
        let _ = part[(0, [2, 0, 0])];
    }
}
