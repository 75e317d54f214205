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

    /// The values of a map in PyTorch's order as another map, if [one loop](Self::is_one_loop) walks both.
    pub const fn reshape(from: [usize; 3], to: [usize; 3]) -> Self {
        assert!(Self::is_one_loop(from, to), "the sizes of both maps are cut at the same places");
        let [[row, map, all], [out_row, out_map, _]] = [ends(from), ends(to)];
        let cuts = cuts(from, to);
        let (mut sizes, mut steps, mut place) = ([1; 5], [0; 5], 4);
        // From the innermost loop on: channels, columns, rows of what is made, each cut where a size of the other ends.
        let parts = [[out_map, all], [1, out_row], [out_row, out_map]];
        let mut part = 0;
        while part < 3 {
            let [first, end] = parts[part];
            let mut cut = 0;
            while cut < 5 {
                let [low, high] = [cuts[cut], cuts[cut + 1]];
                if low >= first && high <= end && high > low {
                    sizes[place] = high / low;
                    steps[place] = if low < row {
                        low * from[0]
                    } else if low < map {
                        low / row * row * from[0]
                    } else {
                        low / map
                    };
                    place = place.saturating_sub(1);
                }
                cut += 1;
            }
            part += 1;
        }
        Self { in_len: all, first: 0, sizes, steps }
    }

    /// Whether, of two maps of equally many values in PyTorch's order, the sizes of each end where those of the other can be cut.
    pub const fn is_one_loop(from: [usize; 3], to: [usize; 3]) -> bool {
        let (cuts, mut cut, mut divides) = (cuts(from, to), 0, true);
        while cut < 5 {
            divides &= cuts[cut] > 0 && cuts[cut + 1].is_multiple_of(cuts[cut]);
            cut += 1;
        }
        divides
    }

    /// A map with its dimensions in another order: of channels, height and width those of these numbers, counted from 0.
    pub const fn permute(sizes: [usize; 3], dims: [usize; 3]) -> Self {
        let [channels, height, width] = sizes;
        let row = width.saturating_mul(channels);
        let steps = [1, row, channels];
        let [c, h, w] = dims;
        Self {
            in_len: height.saturating_mul(row),
            first: 0,
            sizes: [1, 1, sizes[h], sizes[w], sizes[c]],
            steps: [0, 0, steps[h], steps[w], steps[c]],
        }
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

/// The values of a row of a map, of one of its channels, and of all.
const fn ends([channels, height, width]: [usize; 3]) -> [usize; 3] {
    let map = height.saturating_mul(width);
    [width, map, map.saturating_mul(channels)]
}

/// Where rows and channels of two maps of equally many values end, from 1 to all, in order.
const fn cuts(from: [usize; 3], to: [usize; 3]) -> [usize; 6] {
    let ([row, map, all], [out_row, out_map, _]) = (ends(from), ends(to));
    let mut cuts = [1, row, map, out_row, out_map, all];
    let mut sorted = 1;
    while sorted < 6 {
        let mut place = sorted;
        while place > 0 && cuts[place - 1] > cuts[place] {
            (cuts[place - 1], cuts[place]) = (cuts[place], cuts[place - 1]);
            place -= 1;
        }
        sorted += 1;
    }
    cuts
}
