//! Products of maps.

/// A product of two maps, whose channels are matrices of height times width: one product for each channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatmulGeometry {
    /// Products.
    pub channels: usize,
    /// Rows of the first matrix and of the product.
    pub rows: usize,
    /// Columns of the first matrix, and rows of the second.
    pub depth: usize,
    /// Columns of the second matrix and of the product.
    pub columns: usize,
    /// Whether what lies in memory is the transpose of the first matrix, and of the second.
    pub transposed: [bool; 2],
}

impl MatmulGeometry {
    /// Of maps of these sizes (channels, height, width), as they are multiplied.
    pub const fn of(first: [usize; 3], second: [usize; 3], transposed: [bool; 2]) -> Self {
        let ([channels, rows, depth], [_, _, columns]) = (first, second);
        Self { channels, rows, depth, columns, transposed }
    }

    /// Multiply-adds of a sample.
    pub const fn multiply_adds(&self) -> usize {
        self.channels.saturating_mul(self.rows).saturating_mul(self.depth).saturating_mul(self.columns)
    }

    /// Values of a sample of the first map, of the second and of the product.
    pub const fn lens(&self) -> [usize; 3] {
        let Self { channels, rows, depth, columns, .. } = *self;
        [
            channels.saturating_mul(rows).saturating_mul(depth),
            channels.saturating_mul(depth).saturating_mul(columns),
            channels.saturating_mul(rows).saturating_mul(columns),
        ]
    }
}
