//! Rows of channels: every cell of a batch of maps is one, whatever the height and width.

use super::chunk::{self, Target};
use super::geometry::Map;
use super::isa::{self, Kernel, Simd};
use core::array::from_fn;

/// Rows in memory, for reading.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    pub(super) values: &'a [f32],
    stride: usize,
}

/// Rows in memory, for writing.
#[derive(Debug)]
pub struct RowsMut<'a> {
    pub(super) values: &'a mut [f32],
    stride: usize,
}

impl<'a> Rows<'a> {
    /// One behind the other: a map that stands alone.
    pub const fn dense(values: &'a [f32]) -> Self {
        Self { values, stride: 0 }
    }

    /// So many values apart: some of the channels of a wider map, from the first of them on. 0 is [`dense`](Self::dense).
    pub const fn strided(values: &'a [f32], stride: usize) -> Self {
        Self { values, stride }
    }

    /// The memory, from the first row's first value on.
    pub const fn values(&self) -> &'a [f32] {
        self.values
    }

    pub(super) const fn map(&self, channels: usize) -> Map {
        Map::new([1, 1], channels, self.stride)
    }
}

impl<'a> RowsMut<'a> {
    /// One behind the other: a map that stands alone.
    pub const fn dense(values: &'a mut [f32]) -> Self {
        Self { values, stride: 0 }
    }

    /// So many values apart: some of the channels of a wider map, from the first of them on. 0 is [`dense`](Self::dense).
    pub const fn strided(values: &'a mut [f32], stride: usize) -> Self {
        Self { values, stride }
    }

    pub(super) const fn map(&self, channels: usize) -> Map {
        Map::new([1, 1], channels, self.stride)
    }
}

/// What is done to values at the same places of several maps. It is called with runs of any length.
pub(super) trait Run<const W: usize, const R: usize>: Sync {
    /// Values that take about as long as one that is only moved.
    const COST: usize = 1;
    fn run<S: Simd>(&self, simd: S, written: [&mut [f32]; W], read: [&[f32]; R]);
}

/// A plain loop, which the compiler vectorizes where it is inlined.
pub(super) struct Plain<F>(pub(super) F);

impl<const W: usize, const R: usize, F: Fn([&mut [f32]; W], [&[f32]; R]) + Sync> Run<W, R> for Plain<F> {
    #[inline(always)]
    fn run<S: Simd>(&self, _: S, written: [&mut [f32]; W], read: [&[f32]; R]) {
        (self.0)(written, read);
    }
}

/// Values of a piece of work.
const PIECE: usize = 1 << 15;

/// Does `body` for all rows, on all threads. Maps that all stand alone are cut into runs of any length.
///
/// # Panics
/// If the maps have not all the same rows.
pub(super) fn for_each<B: Run<W, R>, const W: usize, const R: usize>(
    channels: usize,
    written: [RowsMut<'_>; W],
    read: [Rows<'_>; R],
    body: B,
) {
    cut(channels, written, read, body, true);
}

/// Does `body` for each row.
///
/// # Panics
/// If the maps have not all the same rows.
pub(super) fn for_each_row<B: Run<W, R>, const W: usize, const R: usize>(
    channels: usize,
    written: [RowsMut<'_>; W],
    read: [Rows<'_>; R],
    body: B,
) {
    cut(channels, written, read, body, false);
}

fn cut<B: Run<W, R>, const W: usize, const R: usize>(
    channels: usize,
    written: [RowsMut<'_>; W],
    read: [Rows<'_>; R],
    body: B,
    joined: bool,
) {
    let written_maps = written.each_ref().map(|rows| rows.map(channels));
    let read_maps = read.map(|rows| rows.map(channels));
    let rows = written_maps[0].samples(written[0].values.len());
    let lens = written.each_ref().map(|rows| rows.values.len());
    let mut maps = written_maps.iter().zip(lens).chain(read_maps.iter().zip(read.map(|rows| rows.values.len())));
    assert!(maps.all(|(map, len)| map.samples(len) == rows), "all maps have the same rows");
    let dense = joined && written_maps.iter().chain(&read_maps).all(Map::is_dense);

    // One row of a dense map is one value.
    let (rows, channels) = if dense { (rows * channels, 1) } else { (rows, channels) };
    let piece = PIECE.div_ceil(B::COST * channels);
    let isa = isa::current();
    let written = written.map(|rows| Target::new(rows.values));
    chunk::for_each(rows.div_ceil(piece), rows * channels * B::COST, |index| {
        let (first, count) = (index * piece, piece.min(rows - index * piece));
        // From a map's row to the next, and the values from the first to the last.
        let part = |map: &Map| if dense { (1, count) } else { (map.stride, (count - 1) * map.stride + channels) };
        let written = from_fn(|index| {
            let (stride, len) = part(&written_maps[index]);
            // SAFETY: pieces are disjoint and end with the slices, which are exclusively ours and do not overlap.
            (unsafe { written[index].slice(first * stride, len) }, stride)
        });
        let read = from_fn(|index| {
            let (stride, len) = part(&read_maps[index]);
            (&read[index].values[first * stride..][..len], stride)
        });
        let (rows, channels) = if dense { (1, count) } else { (count, channels) };
        isa.run(Piece { body: &body, rows, channels, written, read });
    });
}

/// Some rows of all maps, and how many values apart they are.
struct Piece<'a, B, const W: usize, const R: usize> {
    body: &'a B,
    rows: usize,
    channels: usize,
    written: [(&'a mut [f32], usize); W],
    read: [(&'a [f32], usize); R],
}

impl<B: Run<W, R>, const W: usize, const R: usize> Kernel for Piece<'_, B, W, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { body, rows, channels, mut written, read } = self;
        for row in 0..rows {
            let written = written.each_mut().map(|(values, stride)| &mut values[row * *stride..][..channels]);
            body.run(simd, written, read.map(|(values, stride)| &values[row * stride..][..channels]));
        }
    }
}
