//! Normalizations: over the batch, over neighbouring channels, and over groups of a sample's channels. The first two take rows
//! of channels, whatever the map's size.

use super::{Layout, Map};
use crate::shape::window;

/// A batch normalization of rows `[.., channels]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNorm2dGeometry {
    /// Channels, each normalized by itself.
    pub channels: usize,
    /// What is added to a variance, so that it can be divided by.
    pub eps: f64,
    /// Share of a batch's statistics in the running ones after it; if none, those are the mean of all batches.
    pub momentum: Option<f64>,
    /// Where the maps lie.
    pub layout: Layout,
}

impl BatchNorm2dGeometry {
    /// The same with maps that are parts of wider ones: neighbouring cells `in_stride` and `out_stride` values apart.
    pub const fn strided(self, in_stride: usize, out_stride: usize) -> Self {
        Self { layout: Layout::strided(in_stride, out_stride), ..self }
    }

    /// A row of the input in memory.
    pub const fn input(&self) -> Map {
        self.layout.input([1, 1], self.channels)
    }

    /// A row of the output in memory.
    pub const fn output(&self) -> Map {
        self.layout.output([1, 1], self.channels)
    }

    /// The share that the last of so many batches has in the running statistics.
    pub const fn share(&self, batches: u64) -> f64 {
        match self.momentum {
            Some(momentum) => momentum,
            None => 1.0 / batches as f64,
        }
    }

    /// PyTorch's defaults.
    pub const fn new(channels: usize) -> Self {
        Self { channels, eps: 1e-5, momentum: Some(0.1), layout: Layout::DENSE }
    }
}

/// A local response normalization of rows `[.., channels]`: each value is divided by
/// `(k + alpha * mean of squares)^beta`, the mean being over `size` channels around its own, those beyond the first and
/// the last counting as zeros.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LocalResponseNormGeometry {
    /// Channels of the map.
    pub channels: usize,
    /// Channels in a mean.
    pub size: usize,
    /// Weight of the mean.
    pub alpha: f64,
    /// The exponent.
    pub beta: f64,
    /// What is added to the weighted mean.
    pub k: f64,
    /// Where the maps lie.
    pub layout: Layout,
}

impl LocalResponseNormGeometry {
    /// The same with maps that are parts of wider ones: neighbouring cells `in_stride` and `out_stride` values apart.
    pub const fn strided(self, in_stride: usize, out_stride: usize) -> Self {
        Self { layout: Layout::strided(in_stride, out_stride), ..self }
    }

    /// A row of the input in memory.
    pub const fn input(&self) -> Map {
        self.layout.input([1, 1], self.channels)
    }

    /// A row of the output in memory.
    pub const fn output(&self) -> Map {
        self.layout.output([1, 1], self.channels)
    }

    /// PyTorch's defaults, around so many channels.
    pub const fn new(channels: usize, size: usize) -> Self {
        Self { channels, size, alpha: 1e-4, beta: 0.75, k: 1.0, layout: Layout::DENSE }
    }
}

/// A normalization of each sample by itself: its channels are cut into groups, and each group has a mean and a deviation over
/// all its channels and all positions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupNormGeometry {
    /// Channels of the map, or features.
    pub channels: usize,
    /// Height and width; 1 and 1 of features, and where each position is normalized by itself.
    pub size: [usize; 2],
    /// Groups, which divide the channels.
    pub groups: usize,
    /// What is added to a variance, so that it can be divided by.
    pub eps: f64,
    /// Whether the mean is subtracted; else the root of the mean square stands for the deviation.
    pub centered: bool,
    /// Whether each value of the map has a weight, in the one group that there is; else each channel has one.
    pub by_value: bool,
    /// Where the maps lie.
    pub layout: Layout,
}

impl GroupNormGeometry {
    /// The same with maps that are parts of wider ones: neighbouring cells `in_stride` and `out_stride` values apart.
    pub const fn strided(self, in_stride: usize, out_stride: usize) -> Self {
        Self { layout: Layout::strided(in_stride, out_stride), ..self }
    }

    /// A sample of the input in memory.
    pub const fn input(&self) -> Map {
        self.layout.input(self.size, self.channels)
    }

    /// A sample of the output in memory.
    pub const fn output(&self) -> Map {
        self.layout.output(self.size, self.channels)
    }

    /// Height times width.
    pub const fn cells(&self) -> usize {
        window::product(self.size[0], self.size[1])
    }

    /// Weights, if there are some: one for each channel, or for each value.
    pub const fn weights(&self) -> usize {
        if self.by_value { window::product(self.channels, self.cells()) } else { self.channels }
    }

    /// PyTorch's defaults.
    pub const fn new(channels: usize, size: [usize; 2], groups: usize) -> Self {
        Self { channels, size, groups, eps: 1e-5, centered: true, by_value: false, layout: Layout::DENSE }
    }
}
