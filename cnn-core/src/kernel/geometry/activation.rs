//! Functions of one value.

/// A function that a layer applies to each value, by PyTorch's name, with its options.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Activation {
    /// `max(0, x)`
    Relu,
    /// `min(max(0, x), 6)`
    Relu6,
    /// `x`, below zero a part of it.
    LeakyRelu {
        /// The part; PyTorch's default is 0.01.
        negative_slope: f64,
    },
    /// `1 / (1 + exp(-x))`
    Sigmoid,
    /// `tanh(x)`
    Tanh,
    /// `relu6(x + 3) / 6`
    Hardsigmoid,
    /// `x * hardsigmoid(x)`
    Hardswish,
    /// `x * sigmoid(x)`
    Silu,
    /// `x` times the probability that a normal variable is below it.
    Gelu {
        /// The approximation of that probability, PyTorch's `approximate`.
        approximate: GeluApproximation,
    },
}

impl Activation {
    /// Its place among the functions, whatever its options.
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Relu => 0,
            Self::Relu6 => 1,
            Self::LeakyRelu { .. } => 2,
            Self::Sigmoid => 3,
            Self::Tanh => 4,
            Self::Hardsigmoid => 5,
            Self::Hardswish => 6,
            Self::Silu => 7,
            Self::Gelu { approximate: GeluApproximation::None } => 8,
            Self::Gelu { approximate: GeluApproximation::Tanh } => 9,
        }
    }

    /// Whether its slope can be told from its results, so that its input need not be kept.
    pub const fn slope_of_output(&self) -> bool {
        match self {
            Self::Relu | Self::Relu6 | Self::Sigmoid | Self::Tanh | Self::Hardsigmoid => true,
            Self::LeakyRelu { negative_slope } => *negative_slope >= 0.0,
            Self::Hardswish | Self::Silu | Self::Gelu { .. } => false,
        }
    }
}

/// How a [`Gelu`](Activation::Gelu) has the normal distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeluApproximation {
    /// As it is, by the error function.
    None,
    /// By a `tanh` of a polynomial.
    Tanh,
}
