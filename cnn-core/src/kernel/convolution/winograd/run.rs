//! Carrying a correlation out, in one of two schedules with the same bits. Small filters are transformed first, and tasks take
//! blocks of tiles that stay in the second-level cache. Large filters, of which there are many times more than cells, are
//! transformed by the tasks, a panel each, for the transformed tiles of many samples at once.

use super::super::correlation::{Cell, Correlation, pack_filters};
use super::patches::{Patches, place};
use super::product::{self, CHAIN, Products};
use super::transform::{CELLS, TAPS};
use super::{ALL_TAPS, BLOCKS, FEWEST_TILES, POINTS, Sizes, TASKS, block_step, point_step, tile};
use crate::kernel::isa::{Isa, Kernel, Simd};
use crate::kernel::memory::chunk::{self, Target};
use crate::kernel::memory::scratch::Slots;
use crate::kernel::tile::Finish;
use crate::kernel::tile::pack::{self, Matrix, panel, panel_count};
use core::ops::Range;

/// Filters, as they are or ready to use.
#[derive(Clone, Copy)]
pub(super) enum Filters<'a> {
    Plain {
        weight: &'a [f32],
        matrix: Matrix,
    },
    /// Panels `[tap][channel][width]` for tiles that are computed directly, and `[point][channel][width]`.
    Transformed {
        packed: &'a [f32],
        transformed: &'a [f32],
    },
}

pub(super) fn transform_filters(
    isa: Isa,
    correlation: &Correlation,
    (weight, matrix): (&[f32], Matrix),
    packed: &mut [f32],
    transformed: &mut [f32],
) {
    let sizes = Sizes::new(correlation);
    pack_filters(isa, correlation, weight, |_| matrix, false, packed);
    let (packed, to) = (&*packed, Target::new(transformed));
    chunk::for_each(panel_count(isa, sizes.columns), POINTS * sizes.channels * sizes.columns, |index| {
        isa.run(TransformPanel { sizes, packed, to, index });
    });
}

pub(super) fn correlate(
    isa: Isa,
    correlation: &Correlation,
    bias: &[f32],
    finish: Finish,
    source: &[f32],
    filters: Filters<'_>,
    target: Target,
    (shared, slots): (&mut [f32], &Slots),
) {
    let sizes = Sizes::new(correlation);
    let (zeros, shared) = shared.split_at_mut(sizes.channels);
    zeros.fill(0.0);
    let Correlation { source: map, origin, .. } = *correlation;
    let patches = Patches { values: source, map, origin, tiles: sizes.tiles, zeros };
    let job = Job { correlation, sizes, bias, finish, source, patches, target, slots };
    let all_tiles = map.samples(source.len()) * sizes.tiles_of_sample();
    match filters {
        Filters::Plain { weight, matrix } if sizes.small_filters() => {
            let (packed, rest) = shared.split_at_mut(sizes.packed());
            let transformed = &mut rest[..sizes.transformed()];
            transform_filters(isa, correlation, (weight, matrix), packed, transformed);
            job.run_blocks(isa, all_tiles, packed, transformed);
        }
        Filters::Transformed { packed, transformed } if sizes.small_filters() => {
            job.run_blocks(isa, all_tiles, packed, transformed);
        }
        _ => job.run_panels(isa, all_tiles, filters, shared),
    }
}

/// Transforms one panel of packed filters.
struct TransformPanel<'a> {
    sizes: Sizes,
    packed: &'a [f32],
    to: Target,
    index: usize,
}

impl Kernel for TransformPanel<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { sizes, packed, to, index } = self;
        let (first, _, width) = panel::<S>(sizes.columns, index);
        let len = sizes.channels * width;
        let from = &packed[ALL_TAPS * sizes.channels * first..][..ALL_TAPS * len];
        let to = to.pointer(POINTS * sizes.channels * first, POINTS * len);
        let cells = &tap_pointers(from, len);
        let square = tile::ToPoints { cells, len, to, point_step: len, block: len, block_step: 0 };
        // SAFETY: both panels are in memory, as was just checked, and each task has a panel of its own.
        unsafe { square.run(simd, tile::OfFilter) };
    }
}

/// Where the taps of packed filters are.
fn tap_pointers(packed: &[f32], tap_step: usize) -> [[*const f32; TAPS]; TAPS] {
    let mut taps = [[packed.as_ptr(); TAPS]; TAPS];
    for (tap, pointer) in taps.as_flattened_mut().iter_mut().enumerate() {
        *pointer = packed[tap * tap_step..].as_ptr();
    }
    taps
}

/// What all tasks know.
struct Job<'a> {
    correlation: &'a Correlation,
    sizes: Sizes,
    bias: &'a [f32],
    finish: Finish,
    source: &'a [f32],
    patches: Patches<'a>,
    target: Target,
    slots: &'a Slots,
}

impl Job<'_> {
    /// Multiply-adds of so many tiles.
    fn work(&self, tiles: usize) -> usize {
        POINTS * tiles * self.sizes.channels * self.sizes.columns
    }

    /// Small filters, packed and transformed: tasks take blocks of tiles, and some of the panels where blocks are few.
    fn run_blocks(&self, isa: Isa, all_tiles: usize, packed: &[f32], transformed: &[f32]) {
        let panels = panel_count(isa, self.sizes.columns);
        let even = all_tiles.div_ceil(BLOCKS).clamp(FEWEST_TILES, self.sizes.most_tiles());
        // Whole register tiles, but where the last block would be so small that reading the filters is all it does.
        let height = product::height(isa);
        let whole = even / height * height;
        let blocks = all_tiles.div_ceil(whole);
        let last = all_tiles - (blocks - 1) * whole;
        let tiles = if 2 * last < height { all_tiles.div_ceil(blocks) } else { whole };
        let parts = TASKS.div_ceil(blocks).clamp(1, panels.div_ceil(2));
        chunk::for_each(blocks * parts, self.work(all_tiles), |index| {
            let (block, part) = (index / parts, index % parts);
            let tiles = block * tiles..all_tiles.min((block + 1) * tiles);
            let panels = part * panels / parts..(part + 1) * panels / parts;
            isa.run(BlockTask { job: self, packed, transformed, tiles, panels });
        });
    }

    /// Large filters: tasks take a panel each, for as many tiles as there is memory for.
    fn run_panels(&self, isa: Isa, all_tiles: usize, filters: Filters<'_>, shared: &mut [f32]) {
        let panels = panel_count(isa, self.sizes.columns);
        for first in (0..all_tiles).step_by(self.sizes.most_tiles()) {
            let tiles = first..all_tiles.min(first + self.sizes.most_tiles());
            let count = tiles.len();
            let cells = &mut shared[..self.sizes.source_len(count)];
            let to = Target::new(cells);
            /// Tiles of a task.
            const PIECE: usize = 4;
            chunk::for_each(count.div_ceil(PIECE), self.work(count), |piece| {
                let tiles = first + piece * PIECE..tiles.end.min(first + (piece + 1) * PIECE);
                isa.run(TransformTiles { job: self, tiles, cells: to, row: piece * PIECE, rows: count });
            });
            let cells = &*cells;
            chunk::for_each(panels, self.work(count), |index| {
                isa.run(PanelTask { job: self, cells, filters, index, tiles: tiles.clone() });
            });
        }
    }

    /// Transforms tiles of the source into rows from `row` on. It has no vectors itself, and two callers.
    #[inline(never)]
    fn transform_tiles<S: Simd>(&self, simd: S, tiles: Range<usize>, cells: Target, row: usize, rows: usize) {
        for (row, tile) in (row..).zip(tiles) {
            let square = tile::ToPoints {
                cells: &self.patches.cells(tile),
                len: self.sizes.channels,
                to: cells.pointer(row * CHAIN, self.sizes.source_len(rows) - (rows - 1) * CHAIN),
                point_step: point_step(rows, CHAIN),
                block: CHAIN,
                block_step: block_step(rows),
            };
            // SAFETY: a patch's cells have all channels; chains have room for whole vectors, and rows of these tiles are
            // this task's alone.
            unsafe { square.run(simd, tile::OfSource) };
        }
    }

    /// Transforms the products of a panel into tiles of the target; tiles that are not finite are computed directly.
    #[inline(never)]
    fn finish_tiles<S: Simd>(
        &self,
        simd: S,
        tiles: Range<usize>,
        index: usize,
        products: &[f32],
        filters: (*const f32, usize),
    ) {
        let Correlation { cells, start, target_step, .. } = *self.correlation;
        let (first, columns, width) = panel::<S>(self.sizes.columns, index);
        let point_step = point_step(tiles.len(), width);
        assert!(products.len() >= POINTS * point_step);
        for (row, tile) in tiles.enumerate() {
            let [sample, top, left] = place(self.sizes.tiles, tile);
            let size = [CELLS.min(cells[0] - top), CELLS.min(cells[1] - left)];
            let [sample_step, row_step, cell_step] = target_step;
            let to = start + sample * sample_step + top * row_step + left * cell_step + first;
            let to = self.target.pointer(to, (size[0] - 1) * row_step + (size[1] - 1) * cell_step + columns);
            for lane in (0..columns).step_by(S::LANES) {
                let count = S::LANES.min(columns - lane);
                let target = tile::Target {
                    products: products[row * width + lane..].as_ptr(),
                    point_step,
                    to: to.wrapping_add(lane),
                    step: [row_step, cell_step],
                    size,
                    bias: (!self.bias.is_empty()).then(|| &self.bias[first + lane..][..count]),
                    count,
                    finish: self.finish,
                };
                // SAFETY: products and cells are in memory, as was checked above, and this task alone writes these cells.
                if !unsafe { target.transform(simd) } {
                    self.compute_directly(simd, [sample, top, left], size, first + lane, count, filters, lane);
                }
            }
            // SAFETY: the target has these cells, as was checked above, and this task alone writes them.
            unsafe { self.finish.apply(simd, to, [1, size[0], size[1]], [0, row_step, cell_step], columns) };
        }
    }

    /// One vector of columns of a tile.
    #[cold]
    #[inline(never)]
    fn compute_directly<S: Simd>(
        &self,
        simd: S,
        [sample, top, left]: [usize; 3],
        [height, width]: [usize; 2],
        first: usize,
        columns: usize,
        (filters, b_step): (*const f32, usize),
        lane: usize,
    ) {
        let Self { correlation, bias, finish, source, target, .. } = *self;
        let b = filters.wrapping_add(lane);
        for row in top..top + height {
            for column in left..left + width {
                let place = [sample, row, column];
                let cell =
                    Cell { correlation, b, b_step, bias, finish, source, target, place, group: 0, first, columns };
                // SAFETY: the filters are those of the panel, and this task alone writes these cells.
                unsafe { cell.compute(simd) };
            }
        }
    }
}

/// A block of tiles, and some panels of the filters.
struct BlockTask<'a> {
    job: &'a Job<'a>,
    packed: &'a [f32],
    transformed: &'a [f32],
    tiles: Range<usize>,
    panels: Range<usize>,
}

impl Kernel for BlockTask<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { job, packed, transformed, tiles, panels } = self;
        let (sizes, rows) = (job.sizes, tiles.len());
        let mut slot = job.slots.own();
        let (cells, products) = slot.split_at_mut(sizes.source_len(rows));
        job.transform_tiles(simd, tiles.clone(), Target::new(cells), 0, rows);
        for index in panels {
            let (first, _, width) = panel::<S>(sizes.columns, index);
            let filters = &transformed[POINTS * sizes.channels * first..][..POINTS * sizes.channels * width];
            let products = &mut products[..POINTS * point_step(rows, width)];
            for point in 0..POINTS {
                let these = Products {
                    v: cells[point * point_step(rows, CHAIN)..].as_ptr(),
                    v_step: [CHAIN, 1, block_step(rows)],
                    depth: sizes.channels,
                    u: filters[point * sizes.channels * width..].as_ptr(),
                    m: products[point * point_step(rows, width)..].as_mut_ptr(),
                    rows,
                    add: false,
                };
                // SAFETY: cells, filters and products of this point are in the slices, which are long enough.
                unsafe { product::multiply(simd, these, width) };
            }
            let packed = &packed[ALL_TAPS * sizes.channels * first..][..ALL_TAPS * sizes.channels * width];
            job.finish_tiles(simd, tiles.clone(), index, products, (packed.as_ptr(), width));
        }
    }
}

/// Some tiles of many, transformed.
struct TransformTiles<'a> {
    job: &'a Job<'a>,
    tiles: Range<usize>,
    cells: Target,
    row: usize,
    rows: usize,
}

impl Kernel for TransformTiles<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { job, tiles, cells, row, rows } = self;
        job.transform_tiles(simd, tiles, cells, row, rows);
    }
}

/// A panel of filters that are large, and all tiles of a chunk.
struct PanelTask<'a> {
    job: &'a Job<'a>,
    cells: &'a [f32],
    filters: Filters<'a>,
    index: usize,
    tiles: Range<usize>,
}

impl Kernel for PanelTask<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { job, filters, index, .. } = self;
        let (channels, rows) = (job.sizes.channels, self.tiles.len());
        let (first_column, _, width) = panel::<S>(job.sizes.columns, index);
        let mut slot = job.slots.own();
        let (products, rest) = slot.split_at_mut(POINTS * point_step(rows, width));
        let packed = match filters {
            Filters::Transformed { packed, transformed } => {
                let transformed = &transformed[POINTS * channels * first_column..][..POINTS * channels * width];
                self.multiply(simd, 0..channels, width, transformed, products);
                &packed[ALL_TAPS * channels * first_column..][..ALL_TAPS * channels * width]
            }
            Filters::Plain { weight, matrix } => {
                let (packed, rest) = rest.split_at_mut(ALL_TAPS * channels * width);
                let transformed = &mut rest[..POINTS * CHAIN * width];
                pack::pack(simd, weight, &matrix, index, packed);
                for first in (0..channels).step_by(CHAIN) {
                    let chain = first..channels.min(first + CHAIN);
                    let len = chain.len() * width;
                    let taps = &tap_pointers(&packed[first * width..], channels * width);
                    let to = transformed.as_mut_ptr();
                    let square = tile::ToPoints { cells: taps, len, to, point_step: len, block: len, block_step: 0 };
                    // SAFETY: the channels of each tap are in the packed panel, and there is room for a chain at each point.
                    unsafe { square.run(simd, tile::OfFilter) };
                    self.multiply(simd, chain, width, transformed, products);
                }
                &*packed
            }
        };
        job.finish_tiles(simd, self.tiles, index, products, (packed.as_ptr(), width));
    }
}

impl PanelTask<'_> {
    /// Products at all points of some channels, of which the first begins a chain, with their filters
    /// `[point][channel][width]`; those of the first channel are stored, others added.
    #[inline(never)]
    fn multiply<S: Simd>(&self, simd: S, channels: Range<usize>, width: usize, filters: &[f32], products: &mut [f32]) {
        let rows = self.tiles.len();
        let cells = &self.cells[channels.start / CHAIN * block_step(rows)..]
            [..channels.len().div_ceil(CHAIN) * block_step(rows)];
        let filters = &filters[..POINTS * channels.len() * width];
        assert!(products.len() >= POINTS * point_step(rows, width));
        for point in 0..POINTS {
            let these = Products {
                v: cells[point * point_step(rows, CHAIN)..].as_ptr(),
                v_step: [CHAIN, 1, block_step(rows)],
                depth: channels.len(),
                u: filters[point * channels.len() * width..].as_ptr(),
                m: products[point * point_step(rows, width)..].as_mut_ptr(),
                rows,
                add: channels.start > 0,
            };
            // SAFETY: cells, filters and products of this point are in the slices, which are long enough.
            unsafe { product::multiply(simd, these, width) };
        }
    }
}
