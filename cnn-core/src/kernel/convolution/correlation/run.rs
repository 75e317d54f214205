//! A correlation of a batch, cut into tasks.

use super::filters::Filters;
use super::{Correlation, border};
use crate::kernel::isa::{Isa, Kernel, Simd};
use crate::kernel::memory::chunk::{self, Target};
use crate::kernel::memory::scratch::Slots;
use crate::kernel::tile::pack::{Rectangle, copy_padded, panel, panel_count, panels};
use crate::kernel::tile::{Axes, Fetches, Finish, Product, multiply};

/// Multiply-adds of a block of cells at least: about 20 microseconds.
const TASK: usize = 1 << 20;
/// Multiply-adds that are worth a task, as long as tasks are few: about 5 microseconds, which a thread waits for another at the
/// end of a loop at most.
const SHARE: usize = 1 << 18;
/// Cells of a task at least, so that a panel of the filters that comes from the second-level cache is used 16 times.
const CELLS: usize = 224;
/// Values of a padded copy at most (unless one row needs more): half of a second-level cache of 1 MB.
pub(in super::super) const COPY: usize = 1 << 17;
/// Values of a row of the source at least that are asked for ahead.
const FETCHED_ROW: usize = 128;
/// Values of a target that are more than second-level caches hold.
const LARGE: usize = 1 << 20;
/// Values between rows that lie in the same lines of a first-level cache, of which it has eight at most.
const ALIASES: usize = 1 << 10;
/// Tasks at least, when there is enough work: they even out among a few threads.
const TASKS: usize = 16;

/// A block of target cells that one task computes: whole samples, or some rows of one.
#[derive(Clone, Copy, Debug)]
struct Block {
    samples: usize,
    rows: usize,
}

impl Correlation {
    /// Multiply-adds of one cell, or values, where it has no taps.
    const fn work(&self) -> usize {
        let channels = self.source.channels / self.groups;
        let (values, terms) = (self.columns * self.groups, self.taps[0] * self.taps[1] * channels);
        if terms == 0 { values } else { terms * values }
    }

    /// Whether tasks work on copies: where windows reach over the border, and where a tile's rows evict one another.
    const fn copies(&self) -> bool {
        self.reaches_over()
            || self.depth() >= ALIASES && self.step[1].saturating_mul(self.source.stride).is_multiple_of(ALIASES)
    }

    /// Values from a cell of a copy to the next.
    const fn copy_stride(&self) -> usize {
        let channels = self.source.channels;
        // A cache line more.
        if self.step[1].saturating_mul(channels).is_multiple_of(ALIASES) {
            channels.saturating_add(16)
        } else {
            channels
        }
    }

    const fn copy_len(&self, block: Block) -> usize {
        let [rows, columns] = self.window(block.rows);
        (block.samples * rows).saturating_mul(columns).saturating_mul(self.copy_stride())
    }

    /// The largest block, whatever the batch: worth a task, and as many samples or rows as fit a copy.
    const fn block(&self) -> Block {
        let per_sample = self.cells[0] * self.cells[1];
        let cells = if TASK / self.work() > CELLS { TASK / self.work() } else { CELLS };
        let sample = self.copy_len(Block { samples: 1, rows: self.cells[0] });
        if per_sample <= cells && sample <= COPY {
            let (worth, fit) = (cells / per_sample, COPY / sample);
            return Block { samples: if worth < fit { worth } else { fit }, rows: self.cells[0] };
        }
        let [first, columns] = self.window(1);
        let lines = COPY / columns.saturating_mul(self.copy_stride());
        let fit = if lines < first { 1 } else { (lines - first) / self.step[0] + 1 };
        let worth = cells.div_ceil(self.cells[1]);
        let rows = if worth < fit { worth } else { fit };
        Block { samples: 1, rows: if rows < self.cells[0] { rows } else { self.cells[0] } }
    }

    /// Values of a task's padded copy at most.
    pub(in super::super) const fn per_thread(&self) -> usize {
        if self.copies() { self.copy_len(self.block()) } else { 0 }
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
        let worth = (batch * correlation.cells[0] * correlation.cells[1] * correlation.work() / SHARE).min(TASKS);
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
/// `bias` is empty or has a value for each column of each group. A padded copy has zeros around the source, and zero times
/// infinity is NaN: filters that are not finite go another way.
pub(in super::super) fn correlate(
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
    if correlation.reaches_over() && !filters.finite {
        return border::correlate(isa, correlation, filters, bias, finish, source, target);
    }
    let plan = Plan::new(correlation, batch, correlation.groups * panel_count(isa, correlation.columns));
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
        let copies = correlation.copies();
        let (a, width, stride, sample_step) = if copies {
            let rectangle = Rectangle { start, size: window };
            let step = correlation.copy_stride();
            let copy_len = window[0] * window[1] * step;
            for (sample, copy) in (sample..sample + samples).zip(slot.chunks_exact_mut(copy_len)) {
                copy_padded(&source[map.sample(sample, source.len())], map, rectangle, step, copy);
            }
            (&slot[..], window[1], step, copy_len)
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

        let target_values =
            batch * correlation.cells[0] * correlation.cells[1] * correlation.groups * correlation.columns;
        // With narrow vectors a tile is a line wide, which is guessed.
        let fetches_target = S::LANES > 8 && target_values >= LARGE && depth.len() >= FETCHED_ROW / 2;
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
                fetches: Fetches {
                    // For the first panel they come from memory, for others from a cache.
                    rows: !copies && index == 0 && depth.count[2] >= FETCHED_ROW,
                    target: fetches_target,
                },
            };
            // SAFETY: all windows lie in the source or in the copy, and all cells in the target, as checked above; filters
            // and bias were found in slices that are long enough; this task alone writes these cells and columns.
            unsafe { multiply(simd, &product, 0, rows.len()) };
        }
        // The columns of these panels lie side by side, and rows of all columns often too.
        let channel = |index: usize| {
            let (group, index) = (index / panels_per_group, index % panels_per_group);
            group * correlation.columns + panel::<S>(correlation.columns, index).0
        };
        let (first, end) = (channel(cut(part)), channel(cut(part + 1)));
        // SAFETY: this task alone writes these cells and columns, which lie in the target, as checked above.
        unsafe {
            let c = target.wrapping_add(first);
            self.job.finish.apply(simd, c, rows.count, correlation.target_step, end - first);
        }
    }
}
