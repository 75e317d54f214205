//! A convolution of few channels and the max-pooling behind it, as one.
//!
//! Six channels do not fill a vector, but the cells of a row do. A channel's cells are then in one vector and a cell's channels
//! in many, and to bring them together where a map has them costs as much as computing them; but behind a pooling a quarter
//! of them is left. LeNet-5 on one sample takes 11.1 microseconds so, and 13.0 with one after the other.

use crate::kernel::FusedActivation;
use crate::kernel::geometry::{Conv2dAlgorithm, Conv2dGeometry, Map, Pool2dGeometry};
use crate::kernel::isa::{self, Kernel, MAX_LANES, Simd};
use crate::kernel::memory::chunk::{self, Target};
use crate::kernel::memory::scratch::{Needs, Scratch, Slots};
use crate::kernel::rows::finite::AreFinite;
use crate::kernel::tile::pack::{Rectangle, copy_padded};

/// Channels of the input and of the output, at most.
const IN: usize = 4;
const OUT: usize = 8;

/// Cells of a row that are computed together: two vectors, at most.
const CELLS: usize = 2 * MAX_LANES;

/// Pooled rows of a task, at most.
const ROWS: usize = 16;

/// Columns and taps of an axis at most, so that nothing is too large for a number.
const COLUMNS: usize = 1024;
const TAPS: usize = 16;

/// Whether these are computed so. `cnn-macros` has the same rule.
pub const fn applies(convolution: &Conv2dGeometry, pool: &Pool2dGeometry) -> bool {
    let Conv2dGeometry { in_channels, out_channels, groups, stride, dilation, kernel_size, algorithm, .. } =
        *convolution;
    let few = in_channels <= IN && out_channels <= OUT && groups == 1;
    let small = kernel_size[0] <= TAPS && kernel_size[1] <= TAPS;
    let quarters = is([pool.kernel_size, pool.stride], 2)
        && is([pool.padding; 2], 0)
        && is([pool.dilation; 2], 1)
        && !pool.ceil_mode;
    let plain = is([stride, dilation], 1) && !matches!(algorithm, Conv2dAlgorithm::Winograd);
    if !(few && small && quarters && plain) {
        return false;
    }
    let [rows, columns] = convolution.out_size();
    // Three quarters of the lanes have something to do.
    rows > 1 && columns > 1 && columns <= COLUMNS && columns * 4 >= columns.next_multiple_of(CELLS) * 3
}

const fn is(pairs: [[usize; 2]; 2], number: usize) -> bool {
    let [[a, b], [c, d]] = pairs;
    a == number && b == number && c == number && d == number
}

/// Values of a weight and its bias as [`forward`] reads them.
pub const fn packed_len(geometry: &Conv2dGeometry) -> usize {
    geometry.out_channels + geometry.weight_len()
}

/// What [`forward`] works in.
pub const fn needs(geometry: &Conv2dGeometry) -> Needs {
    Needs { shared: 0, per_thread: geometry.in_channels * plane_len(geometry) }
}

/// Values of a row of the copy: what the last vectors read too.
const fn width(geometry: &Conv2dGeometry) -> usize {
    geometry.out_size()[1].next_multiple_of(CELLS) + geometry.kernel_size[1] - 1
}

/// Values of a channel of the copy.
const fn plane_len(geometry: &Conv2dGeometry) -> usize {
    let rows = geometry.out_size()[0] / 2;
    let rows = if rows < ROWS { rows } else { ROWS };
    (2 * rows + geometry.kernel_size[0] - 1) * width(geometry)
}

/// Puts weight `[1, kh, kw, ic, oc]` and bias `[oc]` into [`packed_len`] values.
pub fn pack(geometry: &Conv2dGeometry, weight: &[f32], bias: Option<&[f32]>, packed: &mut [f32]) {
    let (to_bias, to_weight) = packed.split_at_mut(geometry.out_channels);
    match bias {
        Some(bias) => to_bias.copy_from_slice(bias),
        None => to_bias.fill(0.0),
    }
    to_weight.copy_from_slice(weight);
}

/// input `[n, ih, iw, ic]` and what [`pack`] made -> the pooling's output `[n, oh, ow, oc]`, with a rectifier between them.
///
/// # Panics
/// If the two are not computed so, or slices do not have these sizes.
pub fn forward(
    geometry: &Conv2dGeometry,
    pool: &Pool2dGeometry,
    fused: FusedActivation,
    input: &[f32],
    packed: &[f32],
    output: &mut [f32],
    scratch: &mut Scratch,
) {
    super::check(geometry);
    assert!(applies(geometry, pool), "a convolution of few channels and a pooling of four cells");
    assert!(pool.channels == geometry.out_channels && pool.in_size == geometry.out_size(), "one reads the other");
    assert!(fused.then().is_none(), "it is applied in registers");
    assert_eq!(packed.len(), packed_len(geometry));
    let batch = geometry.input().samples(input.len());
    assert_eq!(pool.output().samples(output.len()), batch, "input and output are batches of the same size");
    let (bias, weight) = packed.split_at(geometry.out_channels);
    let isa = isa::current();
    let finite = geometry.padding.is_zero()
        || isa.run(AreFinite { values: weight, rows: 1, width: weight.len(), step: weight.len() });
    let (_, slots) = scratch.lend(needs(geometry));
    let job = Job { geometry, pool, fused, input, bias, weight, finite, output: Target::new(output), slots };
    let bands = (geometry.out_size()[0] / 2).div_ceil(ROWS);
    let cells = geometry.out_size()[0] * geometry.out_size()[1];
    chunk::for_each(batch * bands, batch * cells * geometry.weight_len(), |index| {
        isa.run(Task { job: &job, sample: index / bands, first: index % bands * ROWS });
    });
}

struct Job<'a> {
    geometry: &'a Conv2dGeometry,
    pool: &'a Pool2dGeometry,
    fused: FusedActivation,
    input: &'a [f32],
    bias: &'a [f32],
    weight: &'a [f32],
    /// Whether zeros of the padding may meet the weights.
    finite: bool,
    output: Target,
    slots: &'a Slots,
}

/// Pooled rows of a sample from the `first` on.
struct Task<'a> {
    job: &'a Job<'a>,
    sample: usize,
    first: usize,
}

impl Kernel for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Job { geometry, pool, input, finite, slots, .. } = *self.job;
        let (map, out_map) = (geometry.input(), pool.output());
        let input = &input[map.sample(self.sample, input.len())];
        let rows = ROWS.min(out_map.size[0] - self.first);
        let place = self.sample * out_map.sample_step() + self.first * out_map.row_step();
        let len = (rows * out_map.size[1] - 1) * out_map.stride + out_map.channels;
        // SAFETY: these rows are this task's.
        let output = unsafe { self.job.output.slice(place, len) };
        if !finite {
            return self.by_cells(input, output);
        }
        let mut slot = slots.own();
        let (width, height) = (width(geometry), 2 * rows + geometry.kernel_size[0] - 1);
        let start = [2 * self.first as isize - geometry.padding.top as isize, -(geometry.padding.left as isize)];
        let rectangle = Rectangle { start, size: [height, width] };
        let planes = &mut slot[..geometry.in_channels * height * width];
        for (channel, plane) in planes.chunks_exact_mut(height * width).enumerate() {
            copy_padded(&input[channel..], Map { channels: 1, ..map }, rectangle, 1, plane);
        }
        let bands = Bands { job: self.job, planes, width, plane: height * width, rows };
        bands.run(simd, output);
    }
}

/// The copy of what a task reads, `[ic][height][width]`.
struct Bands<'a> {
    job: &'a Job<'a>,
    planes: &'a [f32],
    width: usize,
    plane: usize,
    rows: usize,
}

/// A channel's cells, and those that a vector reads behind them.
const LINE: usize = CELLS + MAX_LANES;

impl Bands<'_> {
    #[inline(always)]
    fn run<S: Simd>(&self, simd: S, output: &mut [f32]) {
        let Map { size: [_, columns], channels, stride } = self.job.pool.output();
        // The larger ones of two rows, then of two columns.
        let (mut lines, mut cells) = ([[0.0; LINE]; OUT], [[0.0; CELLS]; OUT]);
        // As many channels at once as hide what a multiplication takes, with the cells that they are of.
        let most = if S::REGISTERS == 32 { 4 } else { 2 };
        let at_once = channels.div_ceil(channels.div_ceil(most));
        for row in 0..self.rows {
            for column in (0..columns).step_by(S::LANES) {
                let mut channel = 0;
                while channel < channels {
                    // The last ones may be computed twice.
                    let (first, column) = (channel.min(channels - at_once), 2 * column);
                    if S::REGISTERS == 32 && at_once > 2 {
                        match at_once {
                            3 => self.sums::<S, 3>(simd, row, column, first, &mut lines),
                            _ => self.sums::<S, 4>(simd, row, column, first, &mut lines),
                        }
                    } else if at_once == 2 {
                        self.sums::<S, 2>(simd, row, column, first, &mut lines);
                    } else {
                        self.sums::<S, 1>(simd, row, column, first, &mut lines);
                    }
                    channel += at_once;
                }
                let count = S::LANES.min(columns - column);
                for (line, cells) in lines.iter().zip(&mut cells).take(channels) {
                    for v in 0..2 {
                        // SAFETY: a line is longer than two vectors by one, and there are cells of two.
                        unsafe {
                            let left = simd.load(line.as_ptr().add(v * S::LANES));
                            let right = simd.load(line.as_ptr().add(v * S::LANES + 1));
                            let larger = simd.select(simd.beats(right, left), right, left);
                            simd.store(cells.as_mut_ptr().add(v * S::LANES), larger);
                        }
                    }
                }
                let output = &mut output[(row * columns + column) * stride..];
                assert!(output.len() >= (count - 1) * stride + channels);
                for (channel, cells) in cells.iter().enumerate().take(channels) {
                    for cell in 0..count {
                        // SAFETY: there are cells of two vectors, of which every second counts, and as many in the output.
                        unsafe { *output.get_unchecked_mut(cell * stride + channel) = *cells.get_unchecked(2 * cell) };
                    }
                }
            }
        }
    }

    /// Two vectors of cells of two rows each, from `column` on, of `OT` channels at once: the larger ones of both rows.
    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "with indices that the compiler knows, sums stay in registers")]
    fn sums<S: Simd, const OT: usize>(
        &self,
        simd: S,
        row: usize,
        column: usize,
        channel: usize,
        lines: &mut [[f32; LINE]; OUT],
    ) {
        let Job { geometry, fused, bias, weight, .. } = *self.job;
        let [kernel_height, kernel_width] = geometry.kernel_size;
        let mut sums = [[[simd.splat(0.0); 2]; 2]; OT];
        for ic in 0..geometry.in_channels {
            for kh in 0..kernel_height {
                let place = ic * self.plane + (2 * row + kh) * self.width + column;
                let filters = kh * kernel_width * geometry.in_channels + ic;
                assert!(place + self.width + kernel_width - 1 + 2 * S::LANES <= self.planes.len());
                for kw in 0..kernel_width {
                    let filters = (filters + kw * geometry.in_channels) * geometry.out_channels + channel;
                    let filters = &weight[filters..filters + OT];
                    let mut x = [[simd.splat(0.0); 2]; 2];
                    for (r, x) in x.iter_mut().enumerate() {
                        for (v, x) in x.iter_mut().enumerate() {
                            let from = self.planes.as_ptr().wrapping_add(place + r * self.width + kw + v * S::LANES);
                            // SAFETY: the last tap of the lower row reads the farthest, and that is in the copy.
                            *x = unsafe { simd.load(from) };
                        }
                    }
                    for t in 0..OT {
                        let filter = simd.splat(filters[t]);
                        for r in 0..2 {
                            for v in 0..2 {
                                sums[t][r][v] = simd.mul_add(x[r][v], filter, sums[t][r][v]);
                            }
                        }
                    }
                }
            }
        }
        for t in 0..OT {
            let bias = simd.splat(bias[channel + t]);
            for r in 0..2 {
                for v in 0..2 {
                    sums[t][r][v] = simd.add(sums[t][r][v], bias);
                }
            }
            fused.apply_rows(simd, &mut sums[t]);
            for v in 0..2 {
                let [upper, lower] = [sums[t][0][v], sums[t][1][v]];
                let larger = simd.select(simd.beats(lower, upper), lower, upper);
                // SAFETY: a line is longer than two vectors.
                unsafe { simd.store(lines[channel + t].as_mut_ptr().add(v * S::LANES), larger) };
            }
        }
    }
}

impl Task<'_> {
    /// The same without a copy, whose zeros would meet infinite weights.
    #[cold]
    #[inline(never)]
    fn by_cells(&self, input: &[f32], output: &mut [f32]) {
        let Job { pool, .. } = self.job;
        let Map { size: [_, columns], channels, stride } = pool.output();
        for (cell, output) in output.chunks_mut(stride).enumerate() {
            let (row, column) = (2 * (self.first + cell / columns), 2 * (cell % columns));
            for (channel, output) in output[..channels].iter_mut().enumerate() {
                *output = f32::NEG_INFINITY;
                for tap in 0..4 {
                    let value = self.cell(input, [row + tap / 2, column + tap % 2], channel);
                    if value > *output || value.is_nan() {
                        *output = value;
                    }
                }
            }
        }
    }

    fn cell(&self, input: &[f32], [row, column]: [usize; 2], channel: usize) -> f32 {
        let Job { geometry, fused, bias, weight, .. } = *self.job;
        let (map, [kernel_height, kernel_width]) = (geometry.input(), geometry.kernel_size);
        let mut sum = 0.0;
        for kh in 0..kernel_height {
            for kw in 0..kernel_width {
                let at =
                    [(row + kh).checked_sub(geometry.padding.top), (column + kw).checked_sub(geometry.padding.left)];
                let [Some(row), Some(column)] = at else { continue };
                if row >= map.size[0] || column >= map.size[1] {
                    continue;
                }
                for ic in 0..geometry.in_channels {
                    let filter =
                        ((kh * kernel_width + kw) * geometry.in_channels + ic) * geometry.out_channels + channel;
                    sum += input[(row * map.size[1] + column) * map.stride + ic] * weight[filter];
                }
            }
        }
        fused.of(sum + bias[channel])
    }
}
