//! What a loop needs to know of a layer: plain numbers with `const fn` questions.
//!
//! These structs are the hinge of the library: above them sizes are types, below them loops are told numbers. A layer
//! builds one in a `const` from its types; kernels, the reference, benchmarks and tests take it. Sizes are pairs
//! `[vertical, horizontal]`. Knows no slices, tensors or layers.

use crate::shape::window;

/// Rows and columns of zeros around a map.
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

    /// Whether there is none.
    pub const fn is_zero(&self) -> bool {
        self.top == 0 && self.bottom == 0 && self.left == 0 && self.right == 0
    }
}

/// A 2-d convolution (cross-correlation, as everywhere in deep learning) of one sample.
///
/// Input `[in_size, in_channels]`, weight `[groups, kernel_size, in_channels / groups, out_channels / groups]`, output
/// `[out_size, out_channels]`, all channels-last and row-major.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dGeometry {
    /// Channels of the input map.
    pub in_channels: usize,
    /// Height and width of the input map.
    pub in_size: [usize; 2],
    /// Channels of the output map: the number of filters.
    pub out_channels: usize,
    /// Height and width of a filter.
    pub kernel_size: [usize; 2],
    /// Steps of the window.
    pub stride: [usize; 2],
    /// Zeros around the input.
    pub padding: Padding,
    /// Distance of the taps of a filter; 1 is an ordinary one.
    pub dilation: [usize; 2],
    /// Independent groups that input and output channels are split into.
    pub groups: usize,
}

impl Conv2dGeometry {
    /// Height and width of the output map.
    pub const fn out_size(&self) -> [usize; 2] {
        let padding = self.padding;
        [
            window::output(
                self.in_size[0] + padding.top + padding.bottom,
                self.kernel_size[0],
                self.stride[0],
                0,
                self.dilation[0],
            ),
            window::output(
                self.in_size[1] + padding.left + padding.right,
                self.kernel_size[1],
                self.stride[1],
                0,
                self.dilation[1],
            ),
        ]
    }

    /// Values of one input sample.
    pub const fn in_len(&self) -> usize {
        self.in_channels * self.in_size[0] * self.in_size[1]
    }

    /// Values of one output sample.
    pub const fn out_len(&self) -> usize {
        let [height, width] = self.out_size();
        self.out_channels * height * width
    }

    /// Values of the weight.
    pub const fn weight_len(&self) -> usize {
        self.kernel_size[0] * self.kernel_size[1] * (self.in_channels / self.groups) * self.out_channels
    }

    /// Multiply-adds of one sample's forward pass, taps on the padding included.
    pub const fn multiply_adds(&self) -> usize {
        let [height, width] = self.out_size();
        self.weight_len() * height * width
    }
}

/// A linear layer: input `[in_features]`, weight `[in_features, out_features]`, output `[out_features]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinearGeometry {
    /// Values of one input sample.
    pub in_features: usize,
    /// Values of one output sample.
    pub out_features: usize,
}

impl LinearGeometry {
    /// Values of the weight, and multiply-adds of one sample.
    pub const fn weight_len(&self) -> usize {
        self.in_features * self.out_features
    }
}

/// A 2-d max or average pooling of one sample: input `[in_size, channels]`, output `[out_size, channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool2dGeometry {
    /// Channels of the map, which a pooling keeps.
    pub channels: usize,
    /// Height and width of the input map.
    pub in_size: [usize; 2],
    /// Height and width of the window.
    pub kernel_size: [usize; 2],
    /// Steps of the window.
    pub stride: [usize; 2],
    /// Rows and columns on both sides that never win a maximum and count as zeros in an average.
    pub padding: [usize; 2],
    /// Distance of the taps of the window (max pooling only).
    pub dilation: [usize; 2],
    /// Whether an average divides by the window's positions on the padding too (average pooling only).
    pub count_include_pad: bool,
}

impl Pool2dGeometry {
    /// Height and width of the output map.
    pub const fn out_size(&self) -> [usize; 2] {
        [
            window::output(self.in_size[0], self.kernel_size[0], self.stride[0], self.padding[0], self.dilation[0]),
            window::output(self.in_size[1], self.kernel_size[1], self.stride[1], self.padding[1], self.dilation[1]),
        ]
    }

    /// Values of one input sample.
    pub const fn in_len(&self) -> usize {
        self.channels * self.in_size[0] * self.in_size[1]
    }

    /// Values of one output sample.
    pub const fn out_len(&self) -> usize {
        let [height, width] = self.out_size();
        self.channels * height * width
    }
}

/// An adaptive average pooling of one sample: output cell `i` of `o` averages the rows (columns) from
/// `floor(i * n / o)` to `ceil((i + 1) * n / o)` of `n`, as PyTorch's `AdaptiveAvgPool2d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdaptivePool2dGeometry {
    /// Channels of the map, which a pooling keeps.
    pub channels: usize,
    /// Height and width of the input map.
    pub in_size: [usize; 2],
    /// Height and width of the output map.
    pub out_size: [usize; 2],
}

impl AdaptivePool2dGeometry {
    /// Values of one input sample.
    pub const fn in_len(&self) -> usize {
        self.channels * self.in_size[0] * self.in_size[1]
    }

    /// Values of one output sample.
    pub const fn out_len(&self) -> usize {
        self.channels * self.out_size[0] * self.out_size[1]
    }
}
