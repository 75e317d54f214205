//! The weight's gradient, by F(3x3, 4x4) on the same tiles: cells of the input and of the output's gradient at the points, and
//! sums over tiles.
//!
//! Tiles of many samples are transformed at a time; a task then takes a panel of the output's channels and some of the
//! input's, sums at all points, and transforms what it has to taps, to which those of later tiles are added.

use super::patches::Patches;
use super::product::{self, CHAIN, Products};
use super::transform::CELLS;
use super::{CHUNK, GAP, MAX_WIDTH, POINTS, tile};
use crate::kernel::geometry::Conv2dGeometry;
use crate::kernel::isa::{Isa, Kernel, MAX_LANES, Simd};
use crate::kernel::memory::chunk::{self, Target};
use crate::kernel::memory::scratch::{Needs, Slots};
use crate::kernel::rows::Rows;
use crate::kernel::rows::column_sums::{self, First};
use crate::kernel::tile::pack::{panel, panel_count};
use core::ops::Range;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Channels of the input of a task at most: their sums at all points are in the second-level cache.
const CHANNELS: usize = 42;
/// Tiles of a chunk at least and at most.
const FEWEST_TILES: usize = 32;
const MOST_TILES: usize = 512;

/// Rounded up to whole vectors of any instruction set.
const fn lines(channels: usize) -> usize {
    channels.div_ceil(MAX_LANES).saturating_mul(MAX_LANES)
}

/// How a gradient is cut.
#[derive(Clone, Copy)]
struct Sizes {
    in_channels: usize,
    out_channels: usize,
    /// Rows and columns of tiles in a sample.
    tiles: [usize; 2],
}

impl Sizes {
    const fn new(geometry: &Conv2dGeometry) -> Self {
        let [height, width] = geometry.out_size();
        Self {
            in_channels: geometry.in_channels,
            out_channels: geometry.out_channels,
            tiles: [height.div_ceil(CELLS), width.div_ceil(CELLS)],
        }
    }

    /// From a tile's channels of the input to the next one's.
    const fn row(&self) -> usize {
        lines(self.in_channels)
    }

    /// Tiles of a chunk at most.
    const fn most_tiles(&self) -> usize {
        let per_tile = self.row().saturating_add(lines(self.out_channels)).saturating_mul(POINTS);
        let tiles = CHUNK / per_tile;
        if tiles < FEWEST_TILES {
            FEWEST_TILES
        } else if tiles > MOST_TILES {
            MOST_TILES
        } else {
            tiles
        }
    }

    /// Values of transformed tiles of the input.
    const fn input_len(&self, tiles: usize) -> usize {
        tiles.saturating_mul(self.row()).saturating_add(GAP).saturating_mul(POINTS)
    }

    /// Values of transformed tiles of the output's gradient.
    const fn gradient_len(&self, tiles: usize) -> usize {
        tiles.saturating_mul(lines(self.out_channels)).saturating_mul(POINTS)
    }

    /// Parts that the channels of the input are cut into, and channels of each at most.
    const fn parts(&self) -> (usize, usize) {
        let parts = self.in_channels.div_ceil(CHANNELS);
        (parts, self.in_channels.div_ceil(parts))
    }
}

pub(in super::super) const fn backward_weight_needs(geometry: &Conv2dGeometry) -> Needs {
    let sizes = Sizes::new(geometry);
    let tiles = sizes.most_tiles();
    let zeros = if sizes.in_channels > sizes.out_channels { sizes.in_channels } else { sizes.out_channels };
    let transformed = sizes.input_len(tiles).saturating_add(sizes.gradient_len(tiles)).saturating_add(zeros);
    let sums = column_sums::partials_len(sizes.out_channels);
    Needs {
        shared: if transformed > sums { transformed } else { sums },
        per_thread: POINTS * (sizes.parts().1 * MAX_WIDTH + GAP),
    }
}

/// Returns whether all taps are finite: if not, they are anything. The shell has checked all lengths, and that there is a
/// sample.
pub(in super::super) fn backward_weight(
    isa: Isa,
    geometry: &Conv2dGeometry,
    input: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
    grad_bias: Option<&mut [f32]>,
    (shared, slots): (&mut [f32], &Slots),
) -> bool {
    let output = geometry.output();
    if let Some(grad_bias) = grad_bias {
        let rows = Rows::strided(grad_output, output.stride);
        column_sums::run::<First>(rows, rows, grad_bias, shared);
    }
    let sizes = Sizes::new(geometry);
    let (zeros, shared) = shared.split_at_mut(sizes.in_channels.max(sizes.out_channels));
    zeros.fill(0.0);
    let (zeros, tiles) = (&*zeros, sizes.tiles);
    let origin = [-(geometry.padding.top as isize), -(geometry.padding.left as isize)];
    let input = Patches { values: input, map: geometry.input(), origin, tiles, zeros };
    let gradient = Patches { values: grad_output, map: output, origin: [0, 0], tiles, zeros };

    let all_tiles = output.samples(grad_output.len()) * sizes.tiles[0] * sizes.tiles[1];
    let chunks = all_tiles.div_ceil(sizes.most_tiles());
    let even = all_tiles.div_ceil(chunks);
    let work = POINTS * all_tiles * sizes.in_channels * sizes.out_channels;
    let finite = AtomicBool::new(true);
    let panels = panel_count(isa, sizes.out_channels);
    let (parts, _) = sizes.parts();
    let weight = Target::new(grad_weight);
    for first in (0..all_tiles).step_by(even) {
        let tiles = first..all_tiles.min(first + even);
        let count = tiles.len();
        let (cells, gradients) = shared.split_at_mut(sizes.input_len(count));
        let gradients = &mut gradients[..sizes.gradient_len(count)];
        let (to_cells, to_gradients) = (Target::new(cells), Target::new(gradients));
        /// Tiles of a task.
        const PIECE: usize = 4;
        chunk::for_each(count.div_ceil(PIECE), work, |piece| {
            let rows = piece * PIECE..count.min((piece + 1) * PIECE);
            isa.run(TransformTiles { sizes, input, gradient, first, count, rows, to_cells, to_gradients });
        });
        let (cells, gradients) = (&*cells, &*gradients);
        chunk::for_each(panels * parts, work, |index| {
            let add = first > 0;
            let task = SumTiles { sizes, cells, gradients, count, weight, slots, index, add };
            if !isa.run(task) {
                finite.store(false, Relaxed);
            }
        });
    }
    finite.into_inner()
}

/// Transforms some tiles of a chunk, of input and gradient.
struct TransformTiles<'a> {
    sizes: Sizes,
    input: Patches<'a>,
    gradient: Patches<'a>,
    /// The chunk's first tile, and its number of tiles.
    first: usize,
    count: usize,
    /// Those of this task.
    rows: Range<usize>,
    to_cells: Target,
    to_gradients: Target,
}

impl Kernel for TransformTiles<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { sizes, input, gradient, first, count, to_cells, to_gradients, .. } = self;
        for row in self.rows {
            let len = sizes.in_channels;
            let cells = tile::ToPoints {
                cells: &input.cells(first + row),
                len,
                to: to_cells.pointer(row * sizes.row(), sizes.input_len(count) - (count - 1) * sizes.row()),
                point_step: count * sizes.row() + GAP,
                block: sizes.row(),
                block_step: 0,
            };
            // SAFETY: patches have all channels; rows have room for whole vectors, and are this task's alone.
            unsafe { cells.run(simd, tile::OfSource) };

            let squares = gradient.cells::<CELLS>(first + row);
            for index in 0..sizes.out_channels.div_ceil(product::width::<S>()) {
                let (channel, len, width) = panel::<S>(sizes.out_channels, index);
                let mut cells = squares;
                for cell in cells.as_flattened_mut() {
                    *cell = cell.wrapping_add(channel);
                }
                let panel = POINTS * count * channel;
                let to = to_gradients.pointer(panel + row * width, POINTS * count * width - row * width);
                let point_step = count * width;
                let square = tile::ToPoints { cells: &cells, len, to, point_step, block: width, block_step: 0 };
                // SAFETY: as above.
                unsafe { square.run(simd, tile::OfGradient) };
            }
        }
    }
}

/// Sums over the tiles of a chunk, for a panel of output channels and a part of the input's. Says whether the taps are
/// finite.
struct SumTiles<'a> {
    sizes: Sizes,
    cells: &'a [f32],
    gradients: &'a [f32],
    count: usize,
    weight: Target,
    slots: &'a Slots,
    index: usize,
    /// Whether the taps have those of earlier tiles.
    add: bool,
}

impl Kernel for SumTiles<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> bool {
        let Self { sizes, cells, gradients, count, weight, slots, index, add } = self;
        let (parts, _) = sizes.parts();
        let (index, part) = (index / parts, index % parts);
        let channels = part * sizes.in_channels / parts..(part + 1) * sizes.in_channels / parts;
        let (first, columns, width) = panel::<S>(sizes.out_channels, index);
        let gradients = &gradients[POINTS * count * first..][..POINTS * count * width];
        let mut slot = slots.own();
        let point_step = channels.len() * width + GAP;
        let products = &mut slot[..POINTS * point_step];
        let (row, cell_step) = (sizes.row(), count * sizes.row() + GAP);
        for point in 0..POINTS {
            let these = Products {
                v: cells[point * cell_step + channels.start..][..(count - 1) * row + channels.len()].as_ptr(),
                v_step: [1, row, CHAIN * row],
                depth: count,
                u: gradients[point * count * width..].as_ptr(),
                m: products[point * point_step..].as_mut_ptr(),
                rows: channels.len(),
                add: false,
            };
            // SAFETY: cells, gradients and products of this point are in the slices, which are long enough.
            unsafe { product::multiply(simd, these, width) };
        }
        let tap_step = sizes.in_channels * sizes.out_channels;
        let mut finite = true;
        for (row, channel) in channels.enumerate() {
            for lane in (0..columns).step_by(S::LANES) {
                let count = S::LANES.min(columns - lane);
                let place = channel * sizes.out_channels + first + lane;
                let taps = tile::Taps {
                    products: products[row * width + lane..].as_ptr(),
                    point_step,
                    to: weight.pointer(place, 8 * tap_step + count),
                    tap_step,
                    count,
                    add,
                };
                // SAFETY: the products are in memory, and so are nine taps; these channels of them are this task's alone.
                finite &= unsafe { taps.transform(simd) };
            }
        }
        finite
    }
}
