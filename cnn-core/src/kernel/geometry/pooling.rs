//! Poolings.

use core::ops::Range;

use super::{Layout, Map};
use crate::shape::window;

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
    /// Whether a remainder gets a window of its own, which hangs over the end.
    pub ceil_mode: bool,
    /// Whether an average divides by the window's positions on the padding too (average pooling only).
    pub count_include_pad: bool,
    /// What every average divides by instead of the window's positions (average pooling only).
    pub divisor_override: Option<usize>,
    /// Where the maps lie.
    pub layout: Layout,
}

impl Pool2dGeometry {
    /// The same with maps that are parts of wider ones: neighbouring cells `in_stride` and `out_stride` values apart.
    pub const fn strided(self, in_stride: usize, out_stride: usize) -> Self {
        Self { layout: Layout::strided(in_stride, out_stride), ..self }
    }

    /// The input of one sample in memory.
    pub const fn input(&self) -> Map {
        self.layout.input(self.in_size, self.channels)
    }

    /// The output of one sample in memory.
    pub const fn output(&self) -> Map {
        self.layout.output(self.out_size(), self.channels)
    }

    /// Height and width of the output map.
    pub const fn out_size(&self) -> [usize; 2] {
        let Self { in_size, kernel_size, stride, padding, dilation, ceil_mode, .. } = *self;
        if ceil_mode {
            [
                window::ceil_output(in_size[0], kernel_size[0], stride[0], padding[0], dilation[0]),
                window::ceil_output(in_size[1], kernel_size[1], stride[1], padding[1], dilation[1]),
            ]
        } else {
            [
                window::output(in_size[0], kernel_size[0], stride[0], padding[0], dilation[0]),
                window::output(in_size[1], kernel_size[1], stride[1], padding[1], dilation[1]),
            ]
        }
    }

    /// Rows (`axis` 0) or columns (1) of the window at this output row or column that an average with `count_include_pad`
    /// counts: those on the map and its padding, not what hangs over the end in `ceil_mode`.
    pub const fn padded_taps(&self, axis: usize, position: usize) -> usize {
        let left = self.in_size[axis] + 2 * self.padding[axis] - position * self.stride[axis];
        if left < self.kernel_size[axis] { left } else { self.kernel_size[axis] }
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

/// An adaptive max or average pooling of one sample: output cell `i` of `o` pools the rows (columns) from
/// `floor(i * n / o)` to `ceil((i + 1) * n / o)` of `n`, as PyTorch's `AdaptiveAvgPool2d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdaptivePool2dGeometry {
    /// Channels of the map, which a pooling keeps.
    pub channels: usize,
    /// Height and width of the input map.
    pub in_size: [usize; 2],
    /// Height and width of the output map.
    pub out_size: [usize; 2],
    /// Where the maps lie.
    pub layout: Layout,
}

impl AdaptivePool2dGeometry {
    /// The same with maps that are parts of wider ones: neighbouring cells `in_stride` and `out_stride` values apart.
    pub const fn strided(self, in_stride: usize, out_stride: usize) -> Self {
        Self { layout: Layout::strided(in_stride, out_stride), ..self }
    }

    /// The input of one sample in memory.
    pub const fn input(&self) -> Map {
        self.layout.input(self.in_size, self.channels)
    }

    /// The output of one sample in memory.
    pub const fn output(&self) -> Map {
        self.layout.output(self.out_size, self.channels)
    }

    /// The rows (`axis` 0) or columns (1) that this output row or column pools. Neighbours overlap where the sizes do not
    /// divide.
    pub const fn cells(&self, axis: usize, position: usize) -> Range<usize> {
        let (cells, positions) = (self.in_size[axis], self.out_size[axis]);
        position * cells / positions..((position + 1) * cells).div_ceil(positions)
    }

    /// Values of one input sample.
    pub const fn in_len(&self) -> usize {
        self.channels * self.in_size[0] * self.in_size[1]
    }

    /// Values of one output sample.
    pub const fn out_len(&self) -> usize {
        self.channels * self.out_size[0] * self.out_size[1]
    }
}
