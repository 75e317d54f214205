//! Correlation of a channels-last map with a filter bank: the forward convolution, and each phase of the backward one.

use super::chunk::{self, Target};
use super::geometry::Map;
use super::isa::{Isa, Kernel, MAX_LANES, Simd};
use super::pack::{Matrix, Rectangle, copy_padded, pack, panel, panels};
use super::scratch::Slots;
use super::tile::{Axes, Finish, Product, multiply};

/// Which cell of a source map meets which tap for which cell of the target.
///
/// Target cell `i` of an axis is the sum over taps `t` of the source cell `origin + i * step + t * distance`, zero outside
/// the source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Correlation {
    pub(super) source: Map,
    pub(super) origin: [isize; 2],
    pub(super) step: [usize; 2],
    pub(super) taps: [usize; 2],
    pub(super) distance: [usize; 2],
    /// How many rows and columns of the target are computed.
    pub(super) cells: [usize; 2],
    /// The place of the first cell in the target, and the steps from sample to sample, row to row, column to column.
    pub(super) start: usize,
    pub(super) target_step: [usize; 3],
    pub(super) groups: usize,
    /// Columns of a group: its channels in the target.
    pub(super) columns: usize,
}

/// Multiply-adds of a task at least: about 10 microseconds.
const TASK: usize = 1 << 20;
/// Cells of a task at least, so that a panel of the filters that comes from the second-level cache is used 16 times.
const CELLS: usize = 224;
/// Values of a padded copy at most (unless one row needs more): half of a second-level cache of 1 MB.
const COPY: usize = 1 << 17;
/// Tasks at least, when there is enough work: they even out among a few threads.
const TASKS: usize = 16;

/// A block of target cells that one task computes: whole samples, or some rows of one.
#[derive(Clone, Copy, Debug)]
struct Block {
    samples: usize,
    rows: usize,
}

impl Correlation {
    /// Multiply-adds of one cell.
    const fn work(&self) -> usize {
        let channels = self.source.channels / self.groups;
        let work = self.taps[0] * self.taps[1] * channels * self.columns * self.groups;
        if work == 0 { 1 } else { work }
    }

    /// Source rows and columns that this many target rows and columns read.
    const fn window(&self, rows: usize) -> [usize; 2] {
        [
            (rows - 1) * self.step[0] + self.taps[0].saturating_sub(1) * self.distance[0] + 1,
            (self.cells[1] - 1) * self.step[1] + self.taps[1].saturating_sub(1) * self.distance[1] + 1,
        ]
    }

    /// Whether windows reach over the border of the source, so that tasks work on padded copies.
    const fn reaches_over(&self) -> bool {
        let window = Rectangle { start: self.origin, size: self.window(self.cells[0]) };
        self.taps[0] * self.taps[1] > 0 && !window.lies_in(self.source.size)
    }

    const fn copy_len(&self, block: Block) -> usize {
        let [rows, columns] = self.window(block.rows);
        block.samples * rows * columns * self.source.channels
    }

    /// The largest block, whatever the batch.
    const fn block(&self) -> Block {
        let per_sample = self.cells[0] * self.cells[1];
        let cells = if TASK / self.work() > CELLS { TASK / self.work() } else { CELLS };
        let mut block = if per_sample <= cells {
            Block { samples: cells / per_sample, rows: self.cells[0] }
        } else {
            Block { samples: 1, rows: cells.div_ceil(self.cells[1]) }
        };
        while block.samples > 1 && self.copy_len(block) > COPY {
            block.samples -= 1;
        }
        while block.rows > 1 && self.copy_len(block) > COPY {
            block.rows -= 1;
        }
        block
    }

    /// Values of a task's padded copy at most.
    pub(super) const fn per_thread(&self) -> usize {
        if self.reaches_over() { self.copy_len(self.block()) } else { 0 }
    }

    /// Steps of the depth of one group.
    pub(super) const fn depth(&self) -> usize {
        self.taps[0] * self.taps[1] * (self.source.channels / self.groups)
    }

    /// Values of the packed filters, at most.
    pub(super) const fn packed_len(&self) -> usize {
        self.groups * self.depth() * self.columns.next_multiple_of(MAX_LANES)
    }
}

/// Where the filters are: `[group][panel][depth][width]` packed, or in place as rows of `[depth][columns]`.
#[derive(Clone, Copy)]
pub(super) struct Filters<'a> {
    pub(super) packed: &'a [f32],
    /// The whole weight, whose full panels are read in place; empty if all panels are packed.
    pub(super) in_place: &'a [f32],
}

/// Packs the filters of every group; with `only_partial`, just the last panel of a group if it is not full.
pub(super) fn pack_filters(
    isa: Isa,
    correlation: &Correlation,
    weight: &[f32],
    group: impl Fn(usize) -> Matrix + Sync,
    only_partial: bool,
    packed: &mut [f32],
) {
    struct Task<'a> {
        weight: &'a [f32],
        matrix: Matrix,
        group: usize,
        index: usize,
        only_partial: bool,
        packed: Target,
    }
    impl Kernel for Task<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, simd: S) {
            let depth = self.matrix.depth();
            if self.index >= panels::<S>(self.matrix.columns) {
                return;
            }
            let (first, count, width) = panel::<S>(self.matrix.columns, self.index);
            if self.only_partial && count == super::tile::VECTORS * S::LANES {
                return;
            }
            let start = depth * (self.group * self.matrix.columns.next_multiple_of(S::LANES) + first);
            // SAFETY: panels lie one behind the other and end before `packed_len`; each has one task.
            let to = unsafe { self.packed.slice(start, depth * width) };
            pack(simd, self.weight, &self.matrix, self.index, to);
        }
    }
    assert!(packed.len() >= correlation.packed_len());
    let most_panels = isa.run(Panels(correlation.columns));
    let target = Target::new(packed);
    let work = correlation.groups * correlation.depth() * correlation.columns * 4;
    chunk::for_each(correlation.groups * most_panels, work, |task| {
        let (group_index, index) = (task / most_panels, task % most_panels);
        let matrix = group(group_index);
        isa.run(Task { weight, matrix, group: group_index, index, only_partial, packed: target });
    });
}

struct Panels(usize);

impl Kernel for Panels {
    type Output = usize;
    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> usize {
        panels::<S>(self.0)
    }
}

/// How the cells of a batch are cut into tasks.
#[derive(Clone, Copy, Debug)]
struct Plan {
    block: Block,
    sample_blocks: usize,
    row_blocks: usize,
    /// Panels of all groups, and how many parts they are cut into.
    panels: usize,
    parts: usize,
}

impl Plan {
    fn new(correlation: &Correlation, batch: usize, panels: usize) -> Self {
        let Block { samples, mut rows } = correlation.block();
        let even = |whole: usize, most: usize| whole.div_ceil(whole.div_ceil(most));
        let samples = even(batch, samples.min(batch));
        let sample_blocks = batch.div_ceil(samples);
        let worth = (batch * correlation.cells[0] * correlation.cells[1] * correlation.work() / TASK).min(TASKS);
        // Panels first, because rows of one sample are read twice at the seams; but a block of few rows fits the cache.
        while sample_blocks * correlation.cells[0].div_ceil(rows) * panels < worth
            && rows > 1
            && rows * correlation.cells[1] > CELLS / 4
        {
            rows = rows.div_ceil(2);
        }
        let rows = even(correlation.cells[0], rows);
        let row_blocks = correlation.cells[0].div_ceil(rows);
        let parts = worth.div_ceil(sample_blocks * row_blocks).clamp(1, panels);
        Self { block: Block { samples, rows }, sample_blocks, row_blocks, panels, parts }
    }
}

/// Correlates every sample of `source` into `target`.
///
/// `bias` is empty or has a value for each column of each group.
pub(super) fn correlate(
    isa: Isa,
    correlation: &Correlation,
    filters: Filters<'_>,
    bias: &[f32],
    finish: Finish,
    source: &[f32],
    target: Target,
    slots: &Slots,
) {
    let batch = correlation.source.samples(source.len());
    if batch == 0 {
        return;
    }
    let plan = Plan::new(correlation, batch, correlation.groups * isa.run(Panels(correlation.columns)));
    let work = batch * correlation.cells[0] * correlation.cells[1] * correlation.work();
    let job = Job { correlation, filters, bias, finish, source, target, slots, plan, batch };
    chunk::for_each(plan.sample_blocks * plan.row_blocks * plan.parts, work, |index| {
        isa.run(Task { job: &job, index })
    });
}

struct Job<'a> {
    correlation: &'a Correlation,
    filters: Filters<'a>,
    bias: &'a [f32],
    finish: Finish,
    source: &'a [f32],
    target: Target,
    slots: &'a Slots,
    plan: Plan,
    batch: usize,
}

struct Task<'a> {
    job: &'a Job<'a>,
    index: usize,
}

impl Kernel for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Job { correlation, source, plan, batch, .. } = *self.job;
        let Block { samples, rows } = plan.block;
        let part = self.index % plan.parts;
        let row = self.index / plan.parts % plan.row_blocks * rows;
        let sample = self.index / plan.parts / plan.row_blocks * samples;
        let samples = samples.min(batch - sample);
        let rows = rows.min(correlation.cells[0] - row);

        let map = correlation.source;
        let start = [correlation.origin[0] + (row * correlation.step[0]) as isize, correlation.origin[1]];
        let window = correlation.window(rows);
        let mut slot = self.job.slots.own();
        // Where cells and samples are found: a copy has no channels of others in it.
        let (a, width, stride, sample_step) = if correlation.reaches_over() {
            let rectangle = Rectangle { start, size: window };
            let copy_len = window[0] * window[1] * map.channels;
            for (sample, copy) in (sample..sample + samples).zip(slot.chunks_exact_mut(copy_len)) {
                copy_padded(&source[map.sample(sample, source.len())], map, rectangle, map.channels, copy);
            }
            (&slot[..], window[1], map.channels, copy_len)
        } else {
            // Without taps nothing is read, and the origin says nothing.
            let cell = if correlation.depth() == 0 { 0 } else { start[0] as usize * map.size[1] + start[1] as usize };
            let place = sample * map.sample_step() + cell * map.stride;
            (&source[place..], map.size[1], map.stride, map.sample_step())
        };
        let row_len = width * stride;
        let group_channels = map.channels / correlation.groups;
        let rows = Axes {
            count: [samples, rows, correlation.cells[1]],
            step: [sample_step, correlation.step[0] * row_len, correlation.step[1] * stride],
        };
        let depth = Axes {
            count: [correlation.taps[0], correlation.taps[1], group_channels],
            step: [correlation.distance[0] * row_len, correlation.distance[1] * stride, 1],
        }
        .merged();
        let c = correlation.start + sample * correlation.target_step[0] + row * correlation.target_step[1];

        let last = rows.reach(rows.step).saturating_add(depth.reach(depth.step));
        let last = last.saturating_add(map.channels - group_channels);
        assert!(depth.len() == 0 || last < a.len());
        let target_len = rows.reach(correlation.target_step).saturating_add(correlation.groups * correlation.columns);
        let target = self.job.target.pointer(c, target_len);

        let panels_per_group = panels::<S>(correlation.columns);
        let cut = |part: usize| part * plan.panels / plan.parts;
        for index in cut(part)..cut(part + 1) {
            let (group, index) = (index / panels_per_group, index % panels_per_group);
            let (first, columns, width) = panel::<S>(correlation.columns, index);
            let channel = group * correlation.columns + first;
            let (b, b_step) = self.job.filters.panel::<S>(correlation, group, first, columns, width);
            let bias = if self.job.bias.is_empty() { core::ptr::null() } else { self.job.bias[channel..].as_ptr() };
            let product = Product {
                a: a.as_ptr().wrapping_add(group * group_channels),
                rows: &rows,
                depth: &depth,
                b,
                b_step,
                c: target.wrapping_add(channel),
                c_step: correlation.target_step,
                columns,
                bias,
                finish: self.job.finish,
            };
            // SAFETY: all windows lie in the source or in the copy, and all cells in the target, as checked above; filters
            // and bias were found in slices that are long enough; this task alone writes these cells and columns.
            unsafe { multiply(simd, &product, 0, rows.len()) };
        }
    }
}

impl Filters<'_> {
    /// The first value of a panel, and how far its rows are apart.
    fn panel<S: Simd>(
        &self,
        correlation: &Correlation,
        group: usize,
        first: usize,
        columns: usize,
        width: usize,
    ) -> (*const f32, usize) {
        let depth = correlation.depth();
        if self.in_place.is_empty() || columns < super::tile::VECTORS * S::LANES {
            let start = depth * (group * correlation.columns.next_multiple_of(S::LANES) + first);
            (self.packed[start..start + depth * width].as_ptr(), width)
        } else {
            let weight = &self.in_place[group * depth * correlation.columns..(group + 1) * depth * correlation.columns];
            (weight[first..].as_ptr(), correlation.columns)
        }
    }
}
