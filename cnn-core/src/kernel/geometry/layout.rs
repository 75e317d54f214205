//! Where a map lies in memory: alone, or as some of the channels of a wider one.

/// How many values apart neighbouring cells of the input and of the output are.
///
/// Branches of a `concat` write into one wide map, and what follows may read a part of its channels. A kernel then gets
/// the wide map from the part's first channel on (`&map[first_channel..]`) and only touches the part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Channels of the map that the input is a part of; 0 if it stands alone.
    pub in_stride: usize,
    /// Channels of the map that the output is a part of; 0 if it stands alone.
    pub out_stride: usize,
}

impl Layout {
    /// Both maps stand alone.
    pub const DENSE: Self = Self { in_stride: 0, out_stride: 0 };

    /// Parts of maps with so many channels.
    pub const fn strided(in_stride: usize, out_stride: usize) -> Self {
        Self { in_stride, out_stride }
    }

    pub(super) const fn input(&self, size: [usize; 2], channels: usize) -> Map {
        Map::new(size, channels, self.in_stride)
    }

    pub(super) const fn output(&self, size: [usize; 2], channels: usize) -> Map {
        Map::new(size, channels, self.out_stride)
    }
}

/// A map of one sample in memory, `[size, channels]` with neighbouring cells `stride` apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Map {
    /// Height and width.
    pub size: [usize; 2],
    /// Its own channels.
    pub channels: usize,
    /// From a cell to the next in values: the channels of the map that it is a part of.
    pub stride: usize,
}

impl Map {
    /// A map that is a part of one with `stride` channels, or that stands alone if it is 0.
    pub const fn new(size: [usize; 2], channels: usize, stride: usize) -> Self {
        let stride = if stride == 0 { channels } else { stride };
        assert!(stride >= channels, "the map has more channels than the one that it is a part of");
        Self { size, channels, stride }
    }

    /// Height times width.
    ///
    /// # Panics
    /// If that is more than a number can be: what follows would be reckoned with another map, out of its bounds.
    pub const fn cells(&self) -> usize {
        self.size[0].checked_mul(self.size[1]).expect("the map has more cells than memory can have")
    }

    /// Whether it stands alone.
    pub const fn is_dense(&self) -> bool {
        self.stride == self.channels
    }

    /// From a row to the next.
    pub const fn row_step(&self) -> usize {
        self.size[1] * self.stride
    }

    /// From a sample to the next.
    pub const fn sample_step(&self) -> usize {
        self.cells() * self.stride
    }

    /// How many samples lie in a slice of this length, which starts at the first channel of the first cell and may end
    /// anywhere behind the last channel of the last.
    ///
    /// # Panics
    /// If that is no whole number.
    pub const fn samples(&self, len: usize) -> usize {
        let cells = (len + self.stride - self.channels) / self.stride;
        assert!(len <= cells * self.stride, "the slice ends within the channels of a cell");
        assert!(cells.is_multiple_of(self.cells()), "the slice is no whole number of samples");
        cells / self.cells()
    }

    /// Where these samples' parts lie in a slice of this length.
    pub const fn run(&self, samples: core::ops::Range<usize>, len: usize) -> core::ops::Range<usize> {
        let end = samples.end * self.sample_step();
        samples.start * self.sample_step()..if end < len { end } else { len }
    }

    /// Where the part of sample `n` lies in a slice of this length.
    pub const fn sample(&self, n: usize, len: usize) -> core::ops::Range<usize> {
        self.run(n..n + 1, len)
    }
}
