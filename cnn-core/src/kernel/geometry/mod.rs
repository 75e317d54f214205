//! What a loop needs to know of a layer: plain numbers with `const fn` questions.
//!
//! These structs are the hinge of the library: above them sizes are types, below them loops are told numbers. A layer
//! builds one in a `const` from its types; kernels, the reference, benchmarks and tests take it. Sizes are pairs
//! `[vertical, horizontal]`. Knows no slices, tensors or layers.

mod activation;
mod convolution;
mod expression;
mod layout;
mod normalization;
mod pooling;
mod product;
mod rearrangement;
mod reduction;
mod resize;

use crate::shape::window;

pub use activation::{Activation, GeluApproximation};
pub use convolution::{Conv2dAlgorithm, Conv2dGeometry, ConvTranspose2dGeometry};
pub use expression::{ExpressionGeometry, Operand};
pub use layout::{Layout, Map};
pub use normalization::{BatchNorm2dGeometry, GroupNormGeometry, LocalResponseNormGeometry};
pub use pooling::{AdaptivePool2dGeometry, Pool2dGeometry};
pub use product::MatmulGeometry;
pub use rearrangement::RearrangementGeometry;
pub use reduction::{Over, Reduction, ReductionGeometry};
pub use resize::{Interpolation, Pad2dGeometry, PaddingMode, Upsample2dGeometry};

/// Rows and columns around a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Padding {
    /// Rows above the map.
    pub top: usize,
    /// Rows below the map.
    pub bottom: usize,
    /// Columns before the map.
    pub left: usize,
    /// Columns behind the map.
    pub right: usize,
}

impl Padding {
    /// The same on opposite sides: `[rows, columns]`, as PyTorch's `padding`.
    pub const fn symmetric(padding: [usize; 2]) -> Self {
        Self { top: padding[0], bottom: padding[0], left: padding[1], right: padding[1] }
    }

    /// Rows and columns that it adds to a map.
    ///
    /// # Panics
    /// If they are more than memory can have.
    pub const fn around(&self) -> [usize; 2] {
        [window::sum(self.top, self.bottom), window::sum(self.left, self.right)]
    }

    /// Whether there is none.
    pub const fn is_zero(&self) -> bool {
        self.top == 0 && self.bottom == 0 && self.left == 0 && self.right == 0
    }
}

/// A linear layer: input `[in_features]`, weight `[in_features, out_features]`, output `[out_features]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinearGeometry {
    /// Values of one input sample.
    pub in_features: usize,
    /// Values of one output sample.
    pub out_features: usize,
    /// Where the samples lie; cells are samples here.
    pub layout: Layout,
}

impl LinearGeometry {
    /// The same with samples that are parts of wider ones, `in_stride` and `out_stride` values apart.
    pub const fn strided(self, in_stride: usize, out_stride: usize) -> Self {
        Self { layout: Layout::strided(in_stride, out_stride), ..self }
    }

    /// One input sample in memory.
    pub const fn input(&self) -> Map {
        self.layout.input([1, 1], self.in_features)
    }

    /// One output sample in memory.
    pub const fn output(&self) -> Map {
        self.layout.output([1, 1], self.out_features)
    }

    /// Values of the weight, and multiply-adds of one sample.
    pub const fn weight_len(&self) -> usize {
        window::product(self.in_features, self.out_features)
    }
}
