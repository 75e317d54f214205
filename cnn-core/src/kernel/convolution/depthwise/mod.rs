//! Depthwise convolution: each channel has a filter of its own, so vectors lie along the channels and nothing is summed over
//! them. Forward, and backward to the input, where each phase is a correlation too.

pub(super) mod weight;

use super::correlation::Correlation;
use crate::kernel::geometry::Conv2dGeometry;
use crate::kernel::isa::{Isa, Kernel, Simd};
use crate::kernel::memory::chunk::{self, Target};
use crate::kernel::memory::scratch::Needs;
use crate::kernel::rows::strip::{self, Strip};
use crate::kernel::tile::Finish;
use core::ops::Range;

/// Multiply-adds of a task at least: some 3 microseconds, as they wait for memory.
const TASK: usize = 1 << 16;

/// Whether a convolution is one.
pub(super) const fn is(geometry: &Conv2dGeometry) -> bool {
    geometry.groups > 1 && geometry.groups == geometry.in_channels && geometry.groups == geometry.out_channels
}

/// What the passes work in: packed filters, or the partial sums of the weight's gradient.
pub(super) const fn needs(geometry: &Conv2dGeometry) -> Needs {
    // The phases of the input's gradient share out the taps among them.
    let (filters, partials) = (geometry.weight_len(), weight::partials_len(geometry));
    Needs { shared: if filters > partials { filters } else { partials }, per_thread: 0 }
}

/// `bias` is empty or has a value for each channel. The shell has checked all lengths.
pub(super) fn forward(
    isa: Isa,
    geometry: &Conv2dGeometry,
    bias: &[f32],
    finish: Finish,
    input: &[f32],
    weight: &[f32],
    output: &mut [f32],
    packed: &mut [f32],
) {
    let packed = &mut packed[..geometry.weight_len()];
    pack(geometry, weight, packed);
    forward_packed(isa, geometry, bias, finish, input, packed, Target::new(output));
}

/// Packs a weight for [`forward_packed`]: as `[taps][channels]`.
pub(super) fn pack(geometry: &Conv2dGeometry, weight: &[f32], packed: &mut [f32]) {
    let [_, columns] = geometry.kernel_size;
    pack_taps(&Correlation::forward(geometry), weight, |row, column| row * columns + column, packed);
}

/// [`forward`] with a weight that is packed.
pub(super) fn forward_packed(
    isa: Isa,
    geometry: &Conv2dGeometry,
    bias: &[f32],
    finish: Finish,
    input: &[f32],
    packed: &[f32],
    output: Target,
) {
    correlate(isa, &Correlation::forward(geometry), packed, bias, finish, input, output);
}

/// `bias` is empty or has a value for each channel. The shell has checked all lengths.
pub(super) fn backward_input(
    isa: Isa,
    geometry: &Conv2dGeometry,
    bias: &[f32],
    finish: Finish,
    weight: &[f32],
    grad_output: &[f32],
    grad_input: Target,
    packed: &mut [f32],
) {
    pack_to_input(geometry, weight, packed);
    to_input_packed(isa, geometry, bias, finish, grad_output, packed, grad_input);
}

/// Packs a weight for [`to_input_packed`]: the taps of each phase as `[taps][channels]`.
pub(super) fn pack_to_input(geometry: &Conv2dGeometry, weight: &[f32], mut packed: &mut [f32]) {
    let [_, columns] = geometry.kernel_size;
    for index in 0..Correlation::phases(geometry) {
        let (correlation, [vertical, horizontal]) = Correlation::of_phase(geometry, index);
        let (these, rest) = packed.split_at_mut(packed_len(&correlation));
        packed = rest;
        let tap = |row: usize, column: usize| {
            let (row, column) = (vertical.last_tap - row * vertical.tap_step, column * horizontal.tap_step);
            row * columns + horizontal.last_tap - column
        };
        pack_taps(&correlation, weight, tap, these);
    }
}

/// [`backward_input`] with a weight that is packed.
pub(super) fn to_input_packed(
    isa: Isa,
    geometry: &Conv2dGeometry,
    bias: &[f32],
    finish: Finish,
    grad_output: &[f32],
    mut packed: &[f32],
    grad_input: Target,
) {
    for index in 0..Correlation::phases(geometry) {
        let (correlation, _) = Correlation::of_phase(geometry, index);
        let (these, rest) = packed.split_at(packed_len(&correlation));
        packed = rest;
        if correlation.depth() == 0 && finish.only_adds() && bias.is_empty() {
            continue;
        }
        correlate(isa, &correlation, these, bias, finish, grad_output, grad_input);
    }
}

/// Values of the filters of a correlation, tap by tap.
const fn packed_len(correlation: &Correlation) -> usize {
    correlation.taps[0] * correlation.taps[1] * correlation.groups
}

/// Packs filters as `[taps][channels]`. `tap` says where the tap at this row and column is in a filter; in the weight,
/// filters lie one behind the other.
fn pack_taps(correlation: &Correlation, weight: &[f32], tap: impl Fn(usize, usize) -> usize, packed: &mut [f32]) {
    let (columns, filter) = (correlation.taps[1], weight.len() / correlation.groups);
    for (index, packed) in packed.chunks_exact_mut(correlation.groups).enumerate() {
        let from = weight[tap(index / columns, index % columns)..].iter().step_by(filter);
        packed.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    }
}

/// Correlates every sample of `source` into `target` with packed filters. `bias` is empty or has a value for each channel.
fn correlate(
    isa: Isa,
    correlation: &Correlation,
    packed: &[f32],
    bias: &[f32],
    finish: Finish,
    source: &[f32],
    target: Target,
) {
    let batch = correlation.source.samples(source.len());
    let [height, width] = correlation.cells;
    if batch == 0 {
        return;
    }
    assert_eq!(packed.len(), packed_len(correlation));
    assert!(bias.is_empty() || bias.len() == correlation.groups);
    let taps = (correlation.taps[0] * correlation.taps[1]).max(1);
    let row = width * correlation.groups * taps;
    let job = Job { correlation, packed, bias, finish, source, target, inside: inside(correlation) };
    let rows = TASK.div_ceil(row).min(height);
    let pieces = height.div_ceil(rows);
    chunk::for_each(batch * pieces, batch * height * row, |index| {
        let first = index % pieces * rows;
        isa.run(Task { job: &job, sample: index / pieces, rows: first..height.min(first + rows) });
    });
}

/// The cells of a row whose taps all lie on the source.
fn inside(correlation: &Correlation) -> Range<usize> {
    let whole = |cell: &usize| correlation.taps_on_source(1, *cell) == (0..correlation.taps[1]);
    let first = (0..correlation.cells[1]).find(whole).unwrap_or(correlation.cells[1]);
    first..(first..correlation.cells[1]).find(|cell| !whole(cell)).unwrap_or(correlation.cells[1])
}

struct Job<'a> {
    correlation: &'a Correlation,
    packed: &'a [f32],
    bias: &'a [f32],
    finish: Finish,
    source: &'a [f32],
    target: Target,
    inside: Range<usize>,
}

struct Task<'a> {
    job: &'a Job<'a>,
    sample: usize,
    rows: Range<usize>,
}

impl Kernel for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let correlation = self.job.correlation;
        let [sample_step, row_step, cell_step] = correlation.target_step;
        for row in self.rows {
            let start = correlation.start + self.sample * sample_step + row * row_step;
            let target = self.job.target.pointer(start, (correlation.cells[1] - 1) * cell_step + correlation.groups);
            let mut row =
                Row { job: self.job, sample: self.sample, row, taps: correlation.taps_on_source(0, row), target };
            // SAFETY: the target has this row, as just checked, and this task has it to itself; the shell has found the
            // sample in the source.
            unsafe {
                strip::for_each(simd, correlation.groups, &mut row);
                let cells = [1, 1, correlation.cells[1]];
                self.job.finish.apply(simd, target, cells, [0, 0, cell_step], correlation.groups);
            }
        }
    }
}

struct Row<'a> {
    job: &'a Job<'a>,
    sample: usize,
    row: usize,
    /// Rows of taps that lie on the source.
    taps: Range<usize>,
    /// The first channel of the row's first cell.
    target: *mut f32,
}

impl strip::Body for Row<'_> {
    /// # Safety
    /// The sample lies in the source, and `target` has all cells of the row; nothing else touches them.
    #[inline(always)]
    unsafe fn run<S: Simd, const NV: usize>(&mut self, simd: S, strip: Strip<S, NV>, channel: usize) {
        let cells = self.job.correlation.cells[1];
        let inside = self.job.inside.clone();
        // SAFETY: the caller's promise.
        unsafe {
            // As many sums as an addition takes cycles, twice, and as fit the registers.
            let rest = match (NV, S::REGISTERS) {
                (_, 0) => inside.start,
                (1, _) => self.blocks::<S, NV, 8>(simd, strip, channel, inside.clone()),
                (_, 32) => self.blocks::<S, NV, 4>(simd, strip, channel, inside.clone()),
                _ => self.blocks::<S, NV, 2>(simd, strip, channel, inside.clone()),
            };
            for cell in (0..inside.start).chain(rest..cells) {
                self.cells::<S, NV, 1>(simd, strip, channel, cell, self.job.correlation.taps_on_source(1, cell));
            }
        }
    }
}

impl Row<'_> {
    /// As many blocks of `CELLS` cells as there are; returns the first cell that is left.
    ///
    /// # Safety
    /// As [`strip::Body::run`], with all taps of these cells on the source.
    #[inline(always)]
    unsafe fn blocks<S: Simd, const NV: usize, const CELLS: usize>(
        &self,
        simd: S,
        strip: Strip<S, NV>,
        channel: usize,
        inside: Range<usize>,
    ) -> usize {
        let mut cell = inside.start;
        while cell + CELLS <= inside.end {
            let taps = 0..self.job.correlation.taps[1];
            // SAFETY: the caller's promise.
            unsafe { self.cells::<S, NV, CELLS>(simd, strip, channel, cell, taps) };
            cell += CELLS;
        }
        cell
    }

    /// # Safety
    /// As [`strip::Body::run`], with these columns of taps of these cells on the source.
    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "o and v index several arrays, and all loops look alike")]
    unsafe fn cells<S: Simd, const NV: usize, const CELLS: usize>(
        &self,
        simd: S,
        strip: Strip<S, NV>,
        channel: usize,
        cell: usize,
        columns: Range<usize>,
    ) {
        let Job { correlation, packed, bias, finish, source, .. } = self.job;
        let map = correlation.source;
        let step = correlation.step[1] * map.stride;
        let first_row = correlation.origin[0] + (self.row * correlation.step[0]) as isize;
        let first_column = correlation.origin[1] + (cell * correlation.step[1]) as isize;
        let mut sums = [strip.splat(0.0); CELLS];
        // SAFETY: these taps lie on the source, and the filters have `channels` values for each.
        unsafe {
            for kh in self.taps.clone() {
                let row = (first_row + (kh * correlation.distance[0]) as isize) as usize;
                let row = source.as_ptr().add(self.sample * map.sample_step() + row * map.row_step() + channel);
                for kw in columns.clone() {
                    let column = (first_column + (kw * correlation.distance[1]) as isize) as usize;
                    let x = row.add(column * map.stride);
                    let tap = kh * correlation.taps[1] + kw;
                    let weight = strip.load(packed.as_ptr().add(tap * correlation.groups + channel));
                    for o in 0..CELLS {
                        let x = strip.load(x.add(o * step));
                        for v in 0..NV {
                            sums[o][v] = simd.mul_add(x[v], weight[v], sums[o][v]);
                        }
                    }
                }
            }
        }
        // SAFETY: the target has these cells.
        unsafe {
            let target = |o: usize| self.target.add((cell + o) * correlation.target_step[2] + channel);
            if !bias.is_empty() {
                let bias = strip.load(bias.as_ptr().add(channel));
                for o in 0..CELLS {
                    for v in 0..NV {
                        sums[o][v] = simd.add(sums[o][v], bias[v]);
                    }
                }
            }
            if finish.add {
                for o in 0..CELLS {
                    let before = strip.load(target(o));
                    for v in 0..NV {
                        sums[o][v] = simd.add(sums[o][v], before[v]);
                    }
                }
            }
            finish.fused.apply_rows(simd, &mut sums);
            for o in 0..CELLS {
                strip.store(target(o), sums[o]);
            }
        }
    }
}
