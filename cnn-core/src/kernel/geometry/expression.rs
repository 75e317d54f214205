//! Maps that an expression takes.

use super::Map;

/// An expression of values at the same place: output `[cells, channels]` of operands of as many values or fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpressionGeometry<const N: usize> {
    /// Channels of the output, or features.
    pub channels: usize,
    /// Positions of the output: rows times columns.
    pub cells: usize,
    /// What it takes.
    pub operands: [Operand; N],
    /// Values from a cell of the output to the next, where it is a part of a wider map; else 0.
    pub out_stride: usize,
}

/// A map that an expression takes: all of it meets all of the output, or one cell of it meets every cell, or one channel every
/// channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operand {
    /// Whether it has as many channels as the output, and not one for all.
    pub channels: bool,
    /// Whether it has as many cells as the output, and not one for all.
    pub cells: bool,
    /// Values from a cell to the next, where it is a part of a wider map; else 0.
    pub stride: usize,
}

impl Operand {
    /// Of the output's size, on its own.
    pub const WHOLE: Self = Self { channels: true, cells: true, stride: 0 };

    /// Whether it has a value for each of the output's.
    pub const fn is_whole(&self) -> bool {
        self.channels && self.cells
    }
}

impl<const N: usize> ExpressionGeometry<N> {
    /// Where an operand's cells lie.
    ///
    /// # Panics
    /// If its stride is less than a cell.
    pub const fn map(&self, operand: usize) -> Map {
        let Operand { channels, cells, stride } = self.operands[operand];
        Map::new([1, if cells { self.cells } else { 1 }], if channels { self.channels } else { 1 }, stride)
    }

    /// Where the output's cells lie.
    ///
    /// # Panics
    /// If its stride is less than a cell.
    pub const fn output(&self) -> Map {
        Map::new([1, self.cells], self.channels, self.out_stride)
    }

    /// Whether all operands have a value for each of the output's.
    pub const fn is_whole(&self) -> bool {
        let mut operand = 0;
        while operand < N {
            if !self.operands[operand].is_whole() {
                return false;
            }
            operand += 1;
        }
        true
    }
}
