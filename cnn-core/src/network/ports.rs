//! The shapes of networks with several inputs or outputs: in each sample their maps lie one behind the other.

use core::fmt;
use core::marker::PhantomData;

use super::Network;
use crate::Error;
use crate::shape::{Shape, Sizes, sealed};
use crate::tensor::{Batch, Samples};

/// The shape of what a network of type `N` takes, where it has several inputs: one sample of each, in their order.
///
/// ```
/// use cnn_core::prelude::*;
/// use cnn_core::network::Inputs;
///
/// network! {
///     /// Ten numbers beside a picture.
///     pub Wide<image: <3, 8, 8>, features: <10>> {
///         conv: conv2d<4, 3>, relu, flatten as seen,
///         concat { seen, features },
///         fc: linear<2>,
///     }
/// }
///
/// let (images, features) = (Batch::zeros(5), Batch::zeros(5));
/// // By name, or in order.
/// let batch: Batch<Inputs<Wide>> = WideInputs { image: &images, features: &features }.batch()?;
/// assert_eq!(Wide::inputs(&images, &features)?, batch);
/// let scores: Batch<Flat<2>> = Wide::new(0).forward(&batch);
/// # Ok::<(), Error>(())
/// ```
pub struct Inputs<N>(PhantomData<fn() -> N>);

/// The shape of what a network of type `N` makes, where it ends in `outputs { .. }`: one sample of each, in their order.
///
/// ```
/// use cnn_core::prelude::*;
/// use cnn_core::network::Outputs;
///
/// network! {
///     /// Where and what.
///     pub Detector<3, 8, 8> {
///         conv: conv2d<4, 3>(stride = 2), relu,
///         outputs {
///             boxes: [bbox: conv2d<4, 1>],
///             scores: [flatten, cls: linear<10>],
///         },
///     }
/// }
///
/// let output: Batch<Outputs<Detector>> = Detector::new(0).forward(&Batch::zeros(2));
/// let DetectorOutputs { boxes, scores } = Detector::outputs(output.samples());
/// let boxes: Batch<Chw<4, 3, 3>> = boxes.to_batch();
/// let classes = scores.argmax();
///
/// // A loss for each.
/// let (targets, labels) = (Batch::zeros(2), Labels::new(&[3, 7])?);
/// let loss = DetectorLosses { boxes: MeanSquaredError::new(&targets), scores: CrossEntropy::new(&labels) };
/// Training::new(0).backward(Mode::Training, &mut Detector::new(0), &Batch::zeros(2), &loss)?;
/// # Ok::<(), Error>(())
/// ```
pub struct Outputs<N>(PhantomData<fn() -> N>);

/// The shape of an input or output that only rustc knows, or that is another at each size of a network, by a number: twice its
/// place, and one more of outputs and heads.
#[doc(hidden)]
pub trait Port<const INDEX: usize>: Network {
    /// It.
    type Shape: Shape;
    /// Of a network at several sizes: its first value, or of a head the first channel, of those of all.
    const FIRST: usize = 0;
}

macro_rules! shape {
    ($name:ident, $parts:ident) => {
        impl<N: Network> Shape for $name<N> {
            const SIZES: Sizes = Sizes::Flat { features: together(N::$parts) };
            const PARTS: &'static [Sizes] = N::$parts;
        }

        impl<N: Network> sealed::Sealed for $name<N> {}

        impl<N> Clone for $name<N> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<N> Copy for $name<N> {}

        impl<N> Default for $name<N> {
            fn default() -> Self {
                Self(PhantomData)
            }
        }

        impl<N> fmt::Debug for $name<N> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(stringify!($name))
            }
        }
    };
}

shape!(Inputs, INPUTS);
shape!(Outputs, OUTPUTS);

/// Values of all maps.
const fn together(maps: &[Sizes]) -> usize {
    let (mut sum, mut index) = (0_usize, 0);
    while index < maps.len() {
        sum = sum.saturating_add(maps[index].len());
        index += 1;
    }
    sum
}

/// One of several inputs, without its shape.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    values: &'a [f32],
    samples: usize,
    len: usize,
}

impl<'a> Given<'a> {
    /// It.
    pub fn of<S: Shape>(batch: &'a Batch<S>) -> Self {
        Self::of_samples(batch.samples())
    }

    /// The same of what is borrowed.
    pub fn of_samples<S: Shape>(samples: Samples<'a, S>) -> Self {
        Self { values: samples.values(), samples: samples.len(), len: S::LEN }
    }

    /// How many samples it has.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Those of all samples.
    pub(crate) fn values(&self) -> &'a [f32] {
        self.values
    }
}

/// Makes a batch of the inputs of a network.
///
/// # Errors
///
/// [`Error::Samples`] when they are not equally many; the batch is then as it was.
#[doc(hidden)]
pub fn gather<N: Network>(inputs: &[Given<'_>], batch: &mut Batch<Inputs<N>>) -> Result<(), Error> {
    let samples = inputs.first().map_or(0, |input| input.samples);
    if let Some(other) = inputs.iter().find(|input| input.samples != samples) {
        return Err(Error::Samples { expected: samples, found: other.samples });
    }
    batch.resize(samples);
    gather_values(inputs.iter(), samples, batch.values_mut());
    Ok(())
}

/// So many samples of all inputs, each behind the other.
///
/// # Panics
/// If one has fewer, or there is no room.
#[doc(hidden)]
pub fn gather_values<'a, 'b: 'a>(inputs: impl Iterator<Item = &'a Given<'b>> + Clone, samples: usize, to: &mut [f32]) {
    let mut rest = to;
    for sample in 0..samples {
        for Given { values, len, .. } in inputs.clone() {
            let (to, behind) = rest.split_at_mut(*len);
            to.copy_from_slice(&values[sample * len..][..*len]);
            rest = behind;
        }
    }
}
