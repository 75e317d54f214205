//! Convolutions and transposed convolutions.

use super::{Layout, Map, Padding};
use crate::shape::window;

const fn filters_len([height, width]: [usize; 2], in_channels: usize, out_channels: usize) -> usize {
    window::product(window::product(height, width), window::product(in_channels, out_channels))
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
    /// Rows below and columns behind all windows, which nothing reads: none of a convolution, and what a transposed one
    /// gains beyond what its filters make.
    pub unread: [usize; 2],
    /// Distance of the taps of a filter; 1 is an ordinary one.
    pub dilation: [usize; 2],
    /// Independent groups that input and output channels are split into.
    pub groups: usize,
    /// How it is computed.
    pub algorithm: Conv2dAlgorithm,
    /// Where the maps lie.
    pub layout: Layout,
}

/// How a convolution is computed, forward and backward.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Conv2dAlgorithm {
    /// In the way that is the fastest for its sizes.
    #[default]
    Auto,
    /// With one multiplication for each weight and value.
    Direct,
    /// By Winograd's F(4x4, 3x3): a 3x3 filter, stride and dilation 1, one group. A quarter of the multiplications, and up to
    /// three times the rounding.
    Winograd,
}

impl Conv2dAlgorithm {
    /// Whether it can compute such a convolution.
    pub const fn computes(self, geometry: &Conv2dGeometry) -> bool {
        let Conv2dGeometry { kernel_size, stride, dilation, groups, .. } = geometry;
        !matches!(self, Self::Winograd)
            || matches!((kernel_size, stride, dilation, groups), ([3, 3], [1, 1], [1, 1], 1))
    }
}

impl Conv2dGeometry {
    /// The same with maps that are parts of wider ones: neighbouring cells `in_stride` and `out_stride` values apart.
    pub const fn strided(self, in_stride: usize, out_stride: usize) -> Self {
        Self { layout: Layout::strided(in_stride, out_stride), ..self }
    }

    /// The input of one sample in memory.
    pub const fn input(&self) -> Map {
        self.layout.input(self.in_size, self.in_channels)
    }

    /// The output of one sample in memory.
    pub const fn output(&self) -> Map {
        self.layout.output(self.out_size(), self.out_channels)
    }

    /// Height and width of the output map.
    pub const fn out_size(&self) -> [usize; 2] {
        let Self { in_size, kernel_size, stride, dilation, unread, .. } = *self;
        let [rows, columns] = self.padding.around();
        let read = [
            window::sum(in_size[0], rows).saturating_sub(unread[0]),
            window::sum(in_size[1], columns).saturating_sub(unread[1]),
        ];
        [
            window::output(read[0], kernel_size[0], stride[0], 0, dilation[0]),
            window::output(read[1], kernel_size[1], stride[1], 0, dilation[1]),
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
        filters_len(self.kernel_size, self.in_channels / self.groups, self.out_channels)
    }

    /// Multiply-adds of one sample's forward pass, taps on the padding included.
    pub const fn multiply_adds(&self) -> usize {
        let [height, width] = self.out_size();
        self.weight_len().saturating_mul(height).saturating_mul(width)
    }
}

/// A 2-d transposed convolution of one sample: the convolution that goes from its output to its input, backwards.
///
/// Input `[in_size, in_channels]`, weight `[groups, kernel_size, out_channels / groups, in_channels / groups]`, output
/// `[out_size, out_channels]`. The weight lies as that of [`convolution`](Self::convolution), so that the loops of one
/// serve the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvTranspose2dGeometry {
    /// Channels of the input map.
    pub in_channels: usize,
    /// Height and width of the input map.
    pub in_size: [usize; 2],
    /// Channels of the output map.
    pub out_channels: usize,
    /// Height and width of a filter.
    pub kernel_size: [usize; 2],
    /// Distance in the output of what neighbours in the input spread to.
    pub stride: [usize; 2],
    /// Rows and columns that the output loses, which are the padding of the convolution.
    pub padding: Padding,
    /// Rows below and columns behind that the output gains. Each is less than the stride or the dilation.
    pub output_padding: [usize; 2],
    /// Distance of the taps of a filter; 1 is an ordinary one.
    pub dilation: [usize; 2],
    /// Independent groups that input and output channels are split into.
    pub groups: usize,
    /// Where the maps lie.
    pub layout: Layout,
}

impl ConvTranspose2dGeometry {
    /// The same with maps that are parts of wider ones: neighbouring cells `in_stride` and `out_stride` values apart.
    pub const fn strided(self, in_stride: usize, out_stride: usize) -> Self {
        Self { layout: Layout::strided(in_stride, out_stride), ..self }
    }

    /// The input of one sample in memory.
    pub const fn input(&self) -> Map {
        self.layout.input(self.in_size, self.in_channels)
    }

    /// The output of one sample in memory.
    pub const fn output(&self) -> Map {
        self.layout.output(self.out_size(), self.out_channels)
    }

    /// Height and width of the output map.
    pub const fn out_size(&self) -> [usize; 2] {
        let Self { in_size, kernel_size, stride, output_padding, dilation, .. } = *self;
        let [rows, columns] = self.padding.around();
        [
            window::transposed_output(in_size[0], kernel_size[0], stride[0], rows, output_padding[0], dilation[0]),
            window::transposed_output(in_size[1], kernel_size[1], stride[1], columns, output_padding[1], dilation[1]),
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
        filters_len(self.kernel_size, self.in_channels / self.groups, self.out_channels)
    }

    /// Multiply-adds of one sample's forward pass, those that fall off the output included.
    pub const fn multiply_adds(&self) -> usize {
        self.weight_len().saturating_mul(self.in_size[0]).saturating_mul(self.in_size[1])
    }

    /// The convolution from this one's output to its input, with the same weight. Its backward pass to the input is this
    /// one's forward pass, and the reverse; its backward pass to the weight with the two maps exchanged is this one's.
    pub const fn convolution(&self) -> Conv2dGeometry {
        let Padding { top, bottom, left, right } = self.padding;
        let [below, behind] = self.output_padding;
        // What the output gains of what it lost is as if it had not lost it. The rest no filter reaches.
        let padding = Padding { top, bottom: bottom.saturating_sub(below), left, right: right.saturating_sub(behind) };
        Conv2dGeometry {
            in_channels: self.out_channels,
            in_size: self.out_size(),
            out_channels: self.in_channels,
            kernel_size: self.kernel_size,
            stride: self.stride,
            padding,
            unread: [below.saturating_sub(bottom), behind.saturating_sub(right)],
            algorithm: Conv2dAlgorithm::Auto,
            dilation: self.dilation,
            groups: self.groups,
            layout: Layout::strided(self.layout.out_stride, self.layout.in_stride),
        }
    }
}
