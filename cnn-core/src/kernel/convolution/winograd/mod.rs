//! Convolution by Winograd's F(4x4, 3x3): 36 multiplications where the direct form has 144. <https://arxiv.org/abs/1509.09308>
//!
//! A tile of 6x6 cells of the source becomes its values at 36 points, which meet the filters' values there, each point by
//! itself, as a product of matrices; the sums become 4x4 cells of the target. What it costs is rounding: two to three times
//! that of the direct form. A tile that is not finite, by an infinity in it or a number that overflowed on its way, is
//! computed directly, so that each value meets only its own window.

mod patches;
mod product;
mod run;
mod tile;
mod transform;
mod weight;

use super::correlation::{Correlation, backward_matrix, forward_matrix};
use crate::kernel::geometry::{Conv2dAlgorithm, Conv2dGeometry};
use crate::kernel::isa::{Isa, MAX_LANES};
use crate::kernel::memory::chunk::Target;
use crate::kernel::memory::scratch::{Needs, Slots};
use crate::kernel::tile::{Finish, VECTORS};
use product::CHAIN;
use run::{Filters, correlate, transform_filters};
use transform::{CELLS, TAPS};

const POINTS: usize = transform::POINTS * transform::POINTS;
const ALL_TAPS: usize = TAPS * TAPS;
/// The widest panel of any instruction set.
const MAX_WIDTH: usize = VECTORS * MAX_LANES;
/// Values between the points of a block, so that they do not lie in the same sets of the cache.
const GAP: usize = 16;
/// Values of a block's transformed cells and products at most: it stays in the second-level cache.
const BLOCK: usize = 64 << 10;
/// Tiles of a block: rows of a few register tiles.
const FEWEST_TILES: usize = 14;
const MOST_TILES: usize = 84;
/// Blocks at least, if there are enough tiles: they even out among a few threads.
const BLOCKS: usize = 16;
/// Tasks at least, when panels can be shared out.
const TASKS: usize = 8;
/// Values of small filters, packed and transformed, at most (4 MB).
const FILTERS: usize = 1 << 20;
/// Values of the transformed tiles of many samples at most (8 MB), and tiles at most.
const CHUNK: usize = 1 << 21;
const CHUNK_TILES: usize = 128;

/// Channels of a map, and pairs of channels of two, from which on the transforms cost less than they save.
const CHANNELS: usize = 16;
const PAIRS: usize = 512;

/// Whether it is the faster way, measured at batches of 8 and more: channels enough, and tiles that are mostly on the map, of
/// which seven rows and columns of eight are, and five are not.
pub(super) const fn pays(geometry: &Conv2dGeometry) -> bool {
    let Conv2dGeometry { in_channels, out_channels, .. } = *geometry;
    let [height, width] = geometry.out_size();
    let [rows, columns] = [height.div_ceil(CELLS), width.div_ceil(CELLS)];
    let in_tiles = rows.saturating_mul(columns).saturating_mul(CELLS * CELLS);
    Conv2dAlgorithm::Winograd.computes(geometry)
        && in_channels >= CHANNELS
        && out_channels >= CHANNELS
        && in_channels.saturating_mul(out_channels) >= PAIRS
        && height.saturating_mul(width).saturating_mul(10) >= in_tiles.saturating_mul(6)
}

/// Tiles of a sample from which on transformed filters, four times as many bytes as the weight, are read faster than the
/// weight is multiplied.
const TILES_FOR_ONE: usize = 4;

/// Whether it is the faster way with packed filters for one sample, where it [`pays`] for many.
pub(super) const fn pays_for_one(geometry: &Conv2dGeometry) -> bool {
    Sizes::new(&Correlation::forward(geometry)).tiles_of_sample() >= TILES_FOR_ONE
}

/// How a correlation is cut.
#[derive(Clone, Copy)]
struct Sizes {
    channels: usize,
    columns: usize,
    /// Rows and columns of tiles in a sample.
    tiles: [usize; 2],
}

impl Sizes {
    const fn new(correlation: &Correlation) -> Self {
        let [height, width] = correlation.cells;
        Self {
            channels: correlation.source.channels,
            columns: correlation.columns,
            tiles: [height.div_ceil(CELLS), width.div_ceil(CELLS)],
        }
    }

    const fn tiles_of_sample(&self) -> usize {
        self.tiles[0].saturating_mul(self.tiles[1])
    }

    /// Values of the filters, packed.
    const fn packed(&self) -> usize {
        self.filters(ALL_TAPS)
    }

    /// Values of the filters, transformed.
    const fn transformed(&self) -> usize {
        self.filters(POINTS)
    }

    /// Values of filters with so many values for each pair of channels.
    const fn filters(&self, values: usize) -> usize {
        let columns = self.columns.div_ceil(MAX_LANES).saturating_mul(MAX_LANES);
        values.saturating_mul(self.channels).saturating_mul(columns)
    }

    const fn small_filters(&self) -> bool {
        self.packed().saturating_add(self.transformed()) <= FILTERS
    }

    /// Values of so many transformed tiles.
    const fn source_len(&self, tiles: usize) -> usize {
        self.channels.div_ceil(CHAIN).saturating_mul(block_step(tiles))
    }

    /// Tiles of a block at most, or of a chunk of samples.
    const fn most_tiles(&self) -> usize {
        let per_tile = self.channels.saturating_add(CHAIN + MAX_WIDTH).saturating_mul(POINTS);
        let (tiles, fewest, most) = if self.small_filters() {
            (BLOCK / per_tile, FEWEST_TILES, MOST_TILES)
        } else {
            (CHUNK / per_tile, FEWEST_TILES, CHUNK_TILES)
        };
        if tiles < fewest {
            fewest
        } else if tiles > most {
            most
        } else {
            tiles
        }
    }

    const fn needs(&self) -> Needs {
        let tiles = self.most_tiles();
        let products = POINTS * (tiles * MAX_WIDTH + GAP);
        if self.small_filters() {
            Needs {
                shared: self.packed() + self.transformed() + self.channels,
                per_thread: self.source_len(tiles) + products,
            }
        } else {
            let filters = ALL_TAPS.saturating_mul(self.channels).saturating_mul(MAX_WIDTH);
            Needs {
                shared: self.source_len(tiles).saturating_add(self.channels),
                per_thread: filters.saturating_add(POINTS * CHAIN * MAX_WIDTH + products),
            }
        }
    }
}

/// From a block of channels to the next, of so many transformed tiles.
const fn block_step(tiles: usize) -> usize {
    POINTS * point_step(tiles, CHAIN)
}

/// From a point to the next, with rows of this width.
const fn point_step(tiles: usize, width: usize) -> usize {
    tiles * width + GAP
}

pub(super) use weight::{backward_weight, backward_weight_needs};

pub(super) const fn forward_needs(geometry: &Conv2dGeometry) -> Needs {
    Sizes::new(&Correlation::forward(geometry)).needs()
}

pub(super) const fn backward_input_needs(geometry: &Conv2dGeometry) -> Needs {
    Sizes::new(&Correlation::of_phase(geometry, 0).0).needs()
}

/// `bias` is empty or has a value for each output channel. The shell has checked all lengths.
pub(super) fn forward(
    isa: Isa,
    geometry: &Conv2dGeometry,
    bias: &[f32],
    finish: Finish,
    input: &[f32],
    weight: &[f32],
    output: Target,
    memory: (&mut [f32], &Slots),
) {
    let correlation = Correlation::forward(geometry);
    let matrix = forward_matrix(&correlation, 0);
    correlate(isa, &correlation, bias, finish, input, Filters::Plain { weight, matrix }, output, memory);
}

/// `bias` is empty or has a value for each input channel. The shell has checked all lengths.
pub(super) fn backward_input(
    isa: Isa,
    geometry: &Conv2dGeometry,
    bias: &[f32],
    finish: Finish,
    weight: &[f32],
    grad_output: &[f32],
    grad_input: Target,
    memory: (&mut [f32], &Slots),
) {
    let (correlation, phases) = Correlation::of_phase(geometry, 0);
    let matrix = backward_matrix(geometry, phases, 0);
    let filters = Filters::Plain { weight, matrix };
    correlate(isa, &correlation, bias, finish, grad_output, filters, grad_input, memory);
}

/// Values of a weight that is packed for [`forward_packed`], and of the same transformed.
pub(super) const fn packed_len(geometry: &Conv2dGeometry) -> [usize; 2] {
    let sizes = Sizes::new(&Correlation::forward(geometry));
    [sizes.packed(), sizes.transformed()]
}

/// Shared values that [`forward_packed`] works in.
pub(super) const fn packed_shared(geometry: &Conv2dGeometry) -> usize {
    let sizes = Sizes::new(&Correlation::forward(geometry));
    let cells = if sizes.small_filters() { 0 } else { sizes.source_len(sizes.most_tiles()) };
    sizes.channels.saturating_add(cells)
}

/// Packs and transforms a weight.
pub(super) fn pack(isa: Isa, geometry: &Conv2dGeometry, weight: &[f32], packed: &mut [f32], transformed: &mut [f32]) {
    let correlation = Correlation::forward(geometry);
    let matrix = forward_matrix(&correlation, 0);
    transform_filters(isa, &correlation, (weight, matrix), packed, transformed);
}

/// [`forward`] with a weight that is packed and transformed.
pub(super) fn forward_packed(
    isa: Isa,
    geometry: &Conv2dGeometry,
    bias: &[f32],
    finish: Finish,
    input: &[f32],
    [packed, transformed]: [&[f32]; 2],
    output: Target,
    memory: (&mut [f32], &Slots),
) {
    let correlation = Correlation::forward(geometry);
    let filters = Filters::Transformed { packed, transformed };
    correlate(isa, &correlation, bias, finish, input, filters, output, memory);
}
