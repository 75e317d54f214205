//! Every layer as plain data: what a table, a reader of weights, or the reference needs to know of it.

use super::{Parameter, conv2d, linear};
use crate::kernel::geometry::{AdaptivePool2dGeometry, Conv2dGeometry, LinearGeometry, Pool2dGeometry};
use crate::kernel::scratch::Needs;

/// What a step of a network does.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Operation {
    /// `conv2d`
    Conv2d {
        /// Its numbers.
        geometry: Conv2dGeometry,
        /// Whether a bias is added.
        bias: bool,
    },
    /// `linear`
    Linear {
        /// Its numbers.
        geometry: LinearGeometry,
        /// Whether a bias is added.
        bias: bool,
        /// Channels of the map that was flattened into its input; all features if none was.
        channels: usize,
    },
    /// `max_pool2d`
    MaxPool2d(Pool2dGeometry),
    /// `avg_pool2d`
    AvgPool2d(Pool2dGeometry),
    /// `adaptive_avg_pool2d`
    AdaptiveAvgPool2d(AdaptivePool2dGeometry),
    /// `relu`
    Relu,
    /// `flatten`
    Flatten,
    /// `dropout`
    Dropout {
        /// The probability that a value is dropped.
        p: f32,
    },
    /// `softmax`
    Softmax,
    /// A type that implements [`Layer`](super::Layer).
    Custom {
        /// Its parameters.
        parameters: &'static [Parameter],
    },
}

impl Operation {
    /// The trainable tensors, in the order in which they are kept.
    pub const fn parameters(&self) -> Parameters {
        match self {
            Self::Conv2d { geometry, bias } => Parameters::weight_and_bias(conv2d::parameters(geometry), *bias),
            Self::Linear { geometry, bias, channels } => {
                Parameters::weight_and_bias(linear::parameters(geometry, *channels), *bias)
            }
            Self::Custom { parameters } => Parameters::Custom(parameters),
            _ => Parameters::None,
        }
    }

    /// Trainable values.
    pub const fn parameter_count(&self) -> usize {
        let (parameters, mut count, mut index) = (self.parameters(), 0, 0);
        while index < parameters.as_slice().len() {
            count += parameters.as_slice()[index].len();
            index += 1;
        }
        count
    }

    /// Multiply-adds of one sample's forward pass, in convolutions and linear layers.
    pub const fn multiply_adds(&self) -> usize {
        match self {
            Self::Conv2d { geometry, .. } => geometry.multiply_adds(),
            Self::Linear { geometry, .. } => geometry.weight_len(),
            _ => 0,
        }
    }

    /// The scratch memory that its loops take.
    pub const fn needs(&self) -> Needs {
        match self {
            Self::Conv2d { geometry, .. } => geometry.needs(),
            Self::Linear { geometry, .. } => geometry.needs(),
            _ => Needs { shared: 0, per_thread: 0 },
        }
    }
}

/// The trainable tensors of an [`Operation`].
#[derive(Clone, Copy, Debug)]
pub enum Parameters {
    /// It has none.
    None,
    /// A weight alone.
    Weight([Parameter; 1]),
    /// A weight and a bias.
    WeightAndBias([Parameter; 2]),
    /// What a user's layer says.
    Custom(&'static [Parameter]),
}

impl Parameters {
    const fn weight_and_bias(parameters: [Parameter; 2], bias: bool) -> Self {
        if bias { Self::WeightAndBias(parameters) } else { Self::Weight([parameters[0]]) }
    }

    /// Them in the order in which they are kept.
    pub const fn as_slice(&self) -> &[Parameter] {
        match self {
            Self::None => &[],
            Self::Weight(parameters) => parameters,
            Self::WeightAndBias(parameters) => parameters,
            Self::Custom(parameters) => parameters,
        }
    }
}
