//! Feature maps' shapes as types. Knows only [`typenum`]: no slices, tensors or layers.

#[doc(hidden)]
pub mod check;
pub mod window;

use core::fmt;
use core::marker::PhantomData;

pub use typenum;

/// A map of `C` channels, `H` rows and `W` columns. The order of the sizes is PyTorch's; in memory channels are last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Chw<const C: usize, const H: usize, const W: usize>;

/// `N` features without a position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flat<const N: usize>;

/// What `softmax` makes of scores of shape `S`: values that are not negative and sum to 1 over the features (or, of a
/// [`Chw`], over the channels at each position). A type of its own, so that a loss on scores does not take it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Probabilities<S>(PhantomData<S>);

/// A shape of one sample: [`Chw`], [`Flat`], or [`Probabilities`] of either; of a network with several inputs or outputs,
/// [`Inputs`](crate::network::Inputs) or [`Outputs`](crate::network::Outputs).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the shape of a sample",
    note = "a shape is `Chw<CHANNELS, HEIGHT, WIDTH>`, `Flat<FEATURES>` or `Probabilities` of one of them"
)]
pub trait Shape: sealed::Sealed + Copy + fmt::Debug + Default + Send + Sync + 'static {
    /// The sizes as numbers; of several maps, those of all their values.
    const SIZES: Sizes;
    /// The maps that a sample is: one, or those of a network with several inputs or outputs.
    #[doc(hidden)]
    const PARTS: &'static [Sizes] = &[Self::SIZES];
    /// Values of one sample, at least one: with a size of zero, a program that uses it does not compile.
    const LEN: usize = {
        let len = Self::SIZES.len();
        assert!(len > 0, "a sample has at least one value: every size of its shape is 1 or more");
        len
    };
}

impl<const C: usize, const H: usize, const W: usize> Shape for Chw<C, H, W> {
    const SIZES: Sizes = Sizes::Map { channels: C, height: H, width: W };
}

impl<const N: usize> Shape for Flat<N> {
    const SIZES: Sizes = Sizes::Flat { features: N };
}

impl<S: Shape> Shape for Probabilities<S> {
    const SIZES: Sizes = S::SIZES;
}

pub(crate) mod sealed {
    pub trait Sealed {}
    impl<const C: usize, const H: usize, const W: usize> Sealed for super::Chw<C, H, W> {}
    impl<const N: usize> Sealed for super::Flat<N> {}
    impl<S: super::Shape> Sealed for super::Probabilities<S> {}
}

/// A shape as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sizes {
    /// [`Chw`].
    Map {
        /// Channels.
        channels: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// [`Flat`].
    Flat {
        /// Features.
        features: usize,
    },
}

impl Sizes {
    /// Values of one sample.
    ///
    /// Those that no number can count are as many as one can be: what is checked says that they are too many.
    pub const fn len(self) -> usize {
        self.channels().saturating_mul(self.height()).saturating_mul(self.width())
    }

    /// Whether a sample has no values.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether it is [`Flat`].
    pub const fn is_flat(self) -> bool {
        matches!(self, Self::Flat { .. })
    }

    /// Channels of a map, or features.
    pub const fn channels(self) -> usize {
        match self {
            Self::Map { channels, .. } => channels,
            Self::Flat { features } => features,
        }
    }

    /// Rows; 1 of features.
    pub const fn height(self) -> usize {
        match self {
            Self::Map { height, .. } => height,
            Self::Flat { .. } => 1,
        }
    }

    /// Columns; 1 of features.
    pub const fn width(self) -> usize {
        match self {
            Self::Map { width, .. } => width,
            Self::Flat { .. } => 1,
        }
    }

    /// Positions of a map: rows times columns.
    pub const fn positions(self) -> usize {
        self.height().saturating_mul(self.width())
    }
}

/// `6x28x28`, or `120`.
impl fmt::Display for Sizes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Map { channels, height, width } => formatter.pad(&format!("{channels}x{height}x{width}")),
            Self::Flat { features } => formatter.pad(&features.to_string()),
        }
    }
}

/// The way back from numbers to a type: `<Select<FLAT, C, H, W> as Selected>::Shape` is `Flat<C>` or `Chw<C, H, W>`.
#[derive(Debug)]
pub struct Select<const FLAT: bool, const C: usize, const H: usize, const W: usize>;

/// See [`Select`].
pub trait Selected {
    /// The shape that the numbers mean.
    type Shape: Shape;
}

impl<const C: usize, const H: usize, const W: usize> Selected for Select<false, C, H, W> {
    type Shape = Chw<C, H, W>;
}

impl<const N: usize> Selected for Select<true, N, 1, 1> {
    type Shape = Flat<N>;
}
