//! Maps whose values are those of others at other places.

/// Values at other places: output, of these sizes, of the values of the input from the first on, so many apart in each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RearrangementGeometry {
    /// Values of an input sample.
    pub in_len: usize,
    /// The first value that is taken.
    pub first: usize,
    /// Sizes of the output, the outermost first; those that it does not have are 1.
    pub sizes: [usize; 5],
    /// From a value to the next in the input, for each of them.
    pub steps: [usize; 5],
}

impl RearrangementGeometry {
    /// Values of an output sample.
    pub const fn out_len(&self) -> usize {
        let (mut len, mut size) = (1_usize, 0);
        while size < self.sizes.len() {
            len = len.saturating_mul(self.sizes[size]);
            size += 1;
        }
        len
    }

    /// Features in PyTorch's order `[c, h, w]` as a map.
    pub const fn unflatten([channels, height, width]: [usize; 3]) -> Self {
        let cells = height.saturating_mul(width);
        let in_len = channels.saturating_mul(cells);
        Self { in_len, first: 0, sizes: [1, 1, 1, cells, channels], steps: [0, 0, 0, 1, cells] }
    }

    /// Some channels of a map, or some features.
    pub const fn channel_slice([channels, height, width]: [usize; 3], from: usize, to: usize) -> Self {
        let (cells, count) = (height.saturating_mul(width), to.saturating_sub(from));
        let in_len = channels.saturating_mul(cells);
        Self { in_len, first: from, sizes: [1, 1, 1, cells, count], steps: [0, 0, 0, channels, 1] }
    }

    /// A map without so many rows and columns at its sides: top, bottom, left, right.
    pub const fn crop([channels, height, width]: [usize; 3], sides: [usize; 4]) -> Self {
        let row = width.saturating_mul(channels);
        let [rows, columns] = [height.saturating_sub(sides[0] + sides[1]), width.saturating_sub(sides[2] + sides[3])];
        Self {
            in_len: height.saturating_mul(row),
            first: sides[0] * row + sides[2] * channels,
            sizes: [1, 1, rows, columns, channels],
            steps: [0, 0, row, channels, 1],
        }
    }

    /// Channels of so many groups, one of each group after the other.
    pub const fn channel_shuffle([channels, height, width]: [usize; 3], groups: usize) -> Self {
        let (cells, of_group) = (height.saturating_mul(width), channels / groups);
        let in_len = channels.saturating_mul(cells);
        Self { in_len, first: 0, sizes: [1, 1, cells, of_group, groups], steps: [0, 0, channels, 1, of_group] }
    }

    /// Channels that become squares of `factor` times `factor` cells.
    pub const fn pixel_shuffle([channels, height, width]: [usize; 3], factor: usize) -> Self {
        let (row, square) = (width.saturating_mul(channels), factor.saturating_mul(factor));
        Self {
            in_len: height.saturating_mul(row),
            first: 0,
            sizes: [height, factor, width, factor, channels / square],
            steps: [row, factor, channels, 1, square],
        }
    }

    /// Squares of `factor` times `factor` cells that become channels.
    pub const fn pixel_unshuffle([channels, height, width]: [usize; 3], factor: usize) -> Self {
        let row = width.saturating_mul(channels);
        Self {
            in_len: height.saturating_mul(row),
            first: 0,
            sizes: [height / factor, width / factor, channels, factor, factor],
            steps: [factor.saturating_mul(row), factor.saturating_mul(channels), 1, row, channels],
        }
    }

    /// Rows that become columns.
    pub const fn transpose([channels, height, width]: [usize; 3]) -> Self {
        let row = width.saturating_mul(channels);
        Self {
            in_len: height.saturating_mul(row),
            first: 0,
            sizes: [1, 1, width, height, channels],
            steps: [0, 0, channels, row, 1],
        }
    }
}
