//! Where the squares of a map are that tiles are made of.

use super::transform::CELLS;
use crate::kernel::geometry::Map;

/// Squares of a map, tile by tile through all samples, with zeros around the map.
#[derive(Clone, Copy)]
pub(super) struct Patches<'a> {
    pub(super) values: &'a [f32],
    pub(super) map: Map,
    /// Where the first square starts.
    pub(super) origin: [isize; 2],
    /// Rows and columns of tiles in a sample.
    pub(super) tiles: [usize; 2],
    /// A cell of zeros.
    pub(super) zeros: &'a [f32],
}

impl Patches<'_> {
    /// The cells of a tile's square: all have the map's channels. Pointers only, which no instruction set does better.
    #[inline(never)]
    pub(super) fn cells<const SIDE: usize>(&self, tile: usize) -> [[*const f32; SIDE]; SIDE] {
        let Self { map, origin, .. } = *self;
        let [sample, top, left] = place(self.tiles, tile);
        let sample = &self.values[map.sample(sample, self.values.len())];
        let mut cells = [[self.zeros[..map.channels].as_ptr(); SIDE]; SIDE];
        for (row, cells) in cells.iter_mut().enumerate() {
            let row = origin[0] + (top + row) as isize;
            if row < 0 || row >= map.size[0] as isize {
                continue;
            }
            for (column, cell) in cells.iter_mut().enumerate() {
                let column = origin[1] + (left + column) as isize;
                if column >= 0 && column < map.size[1] as isize {
                    let at = row as usize * map.row_step() + column as usize * map.stride;
                    *cell = sample[at..at + map.channels].as_ptr();
                }
            }
        }
        cells
    }
}

/// The sample of a tile, and its first row and column of the target.
#[inline(always)]
pub(super) fn place([rows, columns]: [usize; 2], tile: usize) -> [usize; 3] {
    [tile / columns / rows, tile / columns % rows * CELLS, tile % columns * CELLS]
}
