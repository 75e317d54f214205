//! Maps of which a part becomes one value.

use super::{Layout, Map};

/// What becomes of many values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// Their sum.
    Sum,
    /// Their mean.
    Mean,
    /// The largest of them; NaN is larger than any number.
    Max,
    /// `ln(sum(exp(x)))`
    LogSumExp,
    /// The square root of the sum of their squares.
    Norm,
}

/// Which values become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The channels of each cell.
    Channels,
    /// The cells of each channel.
    Space,
    /// All of a sample.
    All,
}

/// A reduction: input `[cells, channels]`, output `[cells, 1]`, `[1, channels]` or `[1]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReductionGeometry {
    /// What becomes of many values.
    pub reduction: Reduction,
    /// Which values become one.
    pub over: Over,
    /// Channels of the input, or features.
    pub channels: usize,
    /// Positions of the input: rows times columns.
    pub cells: usize,
    /// Where the maps lie.
    pub layout: Layout,
}

impl ReductionGeometry {
    /// Where the input's cells lie.
    pub const fn input(&self) -> Map {
        self.layout.input([1, self.cells], self.channels)
    }

    /// Where the output's cells lie.
    pub const fn output(&self) -> Map {
        let (cells, channels) = match self.over {
            Over::Channels => (self.cells, 1),
            Over::Space => (1, self.channels),
            Over::All => (1, 1),
        };
        self.layout.output([1, cells], channels)
    }

    /// How many values become one.
    pub const fn count(&self) -> usize {
        match self.over {
            Over::Channels => self.channels,
            Over::Space => self.cells,
            Over::All => self.cells.saturating_mul(self.channels),
        }
    }
}
