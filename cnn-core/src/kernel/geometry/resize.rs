//! Maps that get another height and width.

use super::{Layout, Map, Padding};
use crate::shape::window;

/// How an upsampling fills the cells between those of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpolation {
    /// Each cell takes the value of the input's cell that it lies in.
    Nearest,
    /// Between the four cells around it, by distance.
    Bilinear {
        /// Whether the centres of the corner cells of both maps lie on one another; otherwise the corners of the maps do.
        align_corners: bool,
    },
}

/// A resampling of one sample to a given size: input `[in_size, channels]`, output `[out_size, channels]`.
///
/// PyTorch's `Upsample`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Upsample2dGeometry {
    /// Channels of the map, which a resampling keeps.
    pub channels: usize,
    /// Height and width of the input map.
    pub in_size: [usize; 2],
    /// Height and width of the output map.
    pub out_size: [usize; 2],
    /// How many cells of the output there are to one of the input, vertically and horizontally, if that is not the quotient
    /// of the sizes, which a factor with a fraction rounds down.
    pub scale_factor: Option<[f64; 2]>,
    /// What lies between the input's cells.
    pub interpolation: Interpolation,
    /// Where the maps lie.
    pub layout: Layout,
}

impl Upsample2dGeometry {
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

    /// Values of one input sample.
    pub const fn in_len(&self) -> usize {
        self.channels * self.in_size[0] * self.in_size[1]
    }

    /// Values of one output sample.
    pub const fn out_len(&self) -> usize {
        self.channels * self.out_size[0] * self.out_size[1]
    }

    /// The row (`axis` 0) or column (1) of the input that nearest interpolation takes for this one of the output.
    ///
    /// PyTorch's rule without its rounding: it takes the quotient of the sizes as an `f32`, and so for a few pairs of sizes,
    /// such as 26 to 22 or 14 to 46, once the neighbour. Up to 40 times the size it does not. With a factor, it is PyTorch's.
    pub const fn nearest(&self, axis: usize, position: usize) -> usize {
        if let Some(factors) = self.scale_factor {
            let nearest = (position as f32 * (1.0 / factors[axis]) as f32) as usize;
            return if nearest < self.in_size[axis] { nearest } else { self.in_size[axis] - 1 };
        }
        position * self.in_size[axis] / self.out_size[axis]
    }

    /// Where this row (`axis` 0) or column (1) of the output, which is `position` cells from its first, lies in the input, if
    /// the corners of the maps lie on one another.
    pub const fn place(&self, axis: usize, position: f64) -> f64 {
        match self.scale_factor {
            Some(factors) => position / factors[axis],
            None => position * self.in_size[axis] as f64 / self.out_size[axis] as f64,
        }
    }
}

/// What stands around a map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PaddingMode {
    /// A number.
    Constant(f32),
    /// The map mirrored at its first and last cell, which are not repeated.
    Reflect,
    /// The nearest cell of the map.
    Replicate,
    /// The map again, from its other side on.
    Circular,
}

impl PaddingMode {
    /// Zeros.
    pub const ZEROS: Self = Self::Constant(0.0);

    /// How many cells there may be on a side of so many.
    const fn most(self, cells: usize) -> usize {
        match self {
            Self::Replicate if cells == 0 => 0,
            Self::Constant(_) | Self::Replicate => usize::MAX,
            Self::Reflect => cells.saturating_sub(1),
            Self::Circular => cells,
        }
    }
}

/// Rows and columns around one sample: input `[in_size, channels]`, output `[out_size, channels]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pad2dGeometry {
    /// Channels of the map.
    pub channels: usize,
    /// Height and width of the input map.
    pub in_size: [usize; 2],
    /// How many.
    pub padding: Padding,
    /// What stands in them.
    pub mode: PaddingMode,
    /// Where the maps lie.
    pub layout: Layout,
}

impl Pad2dGeometry {
    /// The row (`axis` 0) or column of the input that is shown at one of the output; none of a constant's.
    pub(crate) const fn source(&self, axis: usize, position: usize) -> Option<usize> {
        let (cells, before) = (self.in_size[axis], [self.padding.top, self.padding.left][axis]);
        if position < before {
            let outside = before - position;
            return match self.mode {
                PaddingMode::Constant(_) => None,
                PaddingMode::Reflect => Some(outside),
                PaddingMode::Replicate => Some(0),
                PaddingMode::Circular => Some(cells - outside),
            };
        }
        let cell = position - before;
        if cell < cells {
            return Some(cell);
        }
        let outside = cell - cells;
        match self.mode {
            PaddingMode::Constant(_) => None,
            PaddingMode::Reflect => Some(cells - 2 - outside),
            PaddingMode::Replicate => Some(cells - 1),
            PaddingMode::Circular => Some(outside),
        }
    }

    /// The rows (`axis` 0) or columns of the output that are around the input's.
    pub(crate) fn border(&self, axis: usize) -> impl Iterator<Item = usize> {
        let before = [self.padding.top, self.padding.left][axis];
        (0..before).chain(before + self.in_size[axis]..self.out_size()[axis])
    }

    /// Whether the map has a cell for each that shows one.
    pub const fn has_cells(&self) -> bool {
        let Padding { top, bottom, left, right } = self.padding;
        let most = [self.mode.most(self.in_size[0]), self.mode.most(self.in_size[1])];
        top <= most[0] && bottom <= most[0] && left <= most[1] && right <= most[1]
    }

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
        let [rows, columns] = self.padding.around();
        [window::sum(self.in_size[0], rows), window::sum(self.in_size[1], columns)]
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
