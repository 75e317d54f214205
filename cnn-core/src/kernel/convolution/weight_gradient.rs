//! The weight's gradient: rows are the filter's values, the depth runs over the cells of the output.
//!
//! The batch is cut into chunks whose partial sums are added in their order, when the weight is small beside the maps;
//! the weight is cut into tasks otherwise. Within a task the cells go in blocks whose inputs and gradients fit the caches.

use crate::kernel::geometry::Conv2dGeometry;
use crate::kernel::isa::{self, Kernel, MAX_LANES, Simd};
use crate::kernel::memory::chunk::{self, Target};
use crate::kernel::memory::scratch::{Needs, Slots};
use crate::kernel::tile::pack::{Matrix, Rectangle, copy_padded, pack, panel, panel_count, panels};
use crate::kernel::tile::{Axes, Fetches, Finish, Product, VECTORS, multiply};

/// Cells of a block: a packed panel of the gradient, 16 KB, stays in the first-level cache.
const CELLS: usize = 256;
/// Partial weights of all chunks together, at most (2 MB).
const PARTIALS: usize = 1 << 19;
/// Chunks at most.
const CHUNKS: usize = 8;
/// Cells of a chunk at least, so that adding up the partial weights is a small part.
const CHUNK_CELLS: usize = 512;
/// Tasks at least, when there is enough work.
const TASKS: usize = 8;
/// Multiply-adds of a task at least.
const TASK: usize = 1 << 19;

/// Output cells that are summed at a time: whole samples, or some rows of one.
#[derive(Clone, Copy, Debug)]
struct Block {
    samples: usize,
    rows: usize,
}

const fn block(geometry: &Conv2dGeometry) -> Block {
    let [height, width] = geometry.out_size();
    if height * width <= CELLS {
        Block { samples: CELLS / (height * width), rows: height }
    } else if width < CELLS {
        Block { samples: 1, rows: CELLS / width }
    } else {
        Block { samples: 1, rows: 1 }
    }
}

/// Input rows and columns that the filters meet for this many output rows.
const fn window(geometry: &Conv2dGeometry, rows: usize) -> [usize; 2] {
    let [_, width] = geometry.out_size();
    [
        (rows - 1) * geometry.stride[0] + (geometry.kernel_size[0] - 1) * geometry.dilation[0] + 1,
        (width - 1) * geometry.stride[1] + (geometry.kernel_size[1] - 1) * geometry.dilation[1] + 1,
    ]
}

/// Whether tasks work on copies: windows reach over the border, or cells are so far apart that those of a block share a few
/// sets of the cache and evict one another. (1x1, 256 to 64 channels at 56x56: 1.5 times as fast.)
const fn copies(geometry: &Conv2dGeometry) -> bool {
    let Conv2dGeometry { kernel_size, stride, .. } = geometry;
    let skips = stride[0] > kernel_size[0] || stride[1] > kernel_size[1];
    !geometry.padding.is_zero() || (geometry.input().stride.is_multiple_of(64) && !skips)
}

/// From a cell of a copy to the next: an odd number of cache lines, so that cells lie in all sets of the cache.
const fn copy_step(geometry: &Conv2dGeometry) -> usize {
    const LINE: usize = 16;
    let channels = geometry.in_channels;
    if channels < 2 * LINE { channels } else { (channels.div_ceil(LINE) | 1) * LINE }
}

const fn copy_len(geometry: &Conv2dGeometry, block: Block) -> usize {
    if !copies(geometry) {
        return 0;
    }
    let [rows, columns] = window(geometry, block.rows);
    (block.samples * rows).saturating_mul(columns).saturating_mul(copy_step(geometry))
}

/// From the start of a copy to what follows it.
const fn padded_copy_len(geometry: &Conv2dGeometry, block: Block) -> usize {
    copy_len(geometry, block).saturating_add(MAX_LANES - 1) / MAX_LANES * MAX_LANES
}

const fn most_chunks(geometry: &Conv2dGeometry) -> usize {
    let fit = PARTIALS / (geometry.weight_len() + geometry.out_channels);
    if fit < CHUNKS { fit } else { CHUNKS }
}

pub(super) const fn needs(geometry: &Conv2dGeometry) -> Needs {
    let block = block(geometry);
    let cells = block.samples * block.rows * geometry.out_size()[1];
    Needs {
        shared: most_chunks(geometry) * (geometry.weight_len() + geometry.out_channels),
        per_thread: cells.saturating_mul(VECTORS * MAX_LANES).saturating_add(padded_copy_len(geometry, block)),
    }
}

/// The shell has checked all lengths, and that there is a sample.
pub(super) fn run(
    geometry: &Conv2dGeometry,
    batch: usize,
    input: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
    mut grad_bias: Option<&mut [f32]>,
    (shared, slots): (&mut [f32], &Slots),
) {
    let isa = isa::current();
    let [height, width] = geometry.out_size();
    let cells = batch * height * width;
    let work = batch * geometry.multiply_adds();

    let worth = (work / TASK).clamp(1, TASKS);
    let panels = geometry.groups * panel_count(isa, geometry.out_channels / geometry.groups);
    let chunks = most_chunks(geometry).min(batch).min(cells / CHUNK_CELLS).min(worth).max(1);
    // Parts and bands read the same cells: as few as keep the threads busy.
    let parts = worth.div_ceil(chunks).min(panels);
    let rows = geometry.weight_len() / geometry.out_channels;
    let bands = if chunks == 1 { worth.div_ceil(parts).min(rows.div_ceil(14)) } else { 1 };

    let weight_len = grad_weight.len();
    let (weights, biases) = if chunks == 1 {
        let nothing: &mut [f32] = &mut [];
        (Target::new(grad_weight), Target::new(grad_bias.as_deref_mut().unwrap_or(nothing)))
    } else {
        let (weights, biases) = shared.split_at_mut(chunks * weight_len);
        (Target::new(weights), Target::new(biases))
    };
    let job = Job {
        geometry,
        batch,
        input,
        grad_output,
        weights,
        biases: grad_bias.is_some().then_some(biases),
        slots,
        chunks,
        panels,
        parts,
        bands,
    };
    chunk::for_each(chunks * parts * bands, work, |index| isa.run(Task { job: &job, index }));

    if chunks > 1 {
        let (weights, biases) = shared.split_at(chunks * weight_len);
        sum(weights, grad_weight);
        if let Some(grad_bias) = grad_bias {
            sum(&biases[..chunks * grad_bias.len()], grad_bias);
        }
    }
}

/// Adds up the parts of which `partials` holds one behind the other, in their order.
fn sum(partials: &[f32], total: &mut [f32]) {
    /// Values of a task.
    const PIECE: usize = 4096;
    let len = total.len();
    let target = Target::new(total);
    let isa = isa::current();
    chunk::for_each(len.div_ceil(PIECE), partials.len(), |piece| {
        let start = piece * PIECE;
        let count = PIECE.min(len - start);
        // SAFETY: pieces are disjoint and end before `len`.
        let total = unsafe { target.slice(start, count) };
        isa.vectorize(
            #[inline(always)]
            || {
                let mut parts = partials.chunks_exact(len).map(|part| &part[start..start + count]);
                total.copy_from_slice(parts.next().expect("there is a chunk"));
                for part in parts {
                    for (total, value) in total.iter_mut().zip(part) {
                        *total += value;
                    }
                }
            },
        );
    });
}

struct Job<'a> {
    geometry: &'a Conv2dGeometry,
    batch: usize,
    input: &'a [f32],
    grad_output: &'a [f32],
    /// Partial weights of the chunks, one behind the other; biases the same.
    weights: Target,
    biases: Option<Target>,
    slots: &'a Slots,
    chunks: usize,
    /// Panels of all groups, and how many parts they are cut into.
    panels: usize,
    parts: usize,
    /// Parts that the rows are cut into.
    bands: usize,
}

struct Task<'a> {
    job: &'a Job<'a>,
    index: usize,
}

impl Kernel for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Job { geometry, batch, chunks, panels, parts, bands, .. } = *self.job;
        let (band, part, chunk) = (self.index % bands, self.index / bands % parts, self.index / bands / parts);
        let cut = |index: usize, parts: usize, whole: usize| index * whole / parts;
        let panels = cut(part, parts, panels)..cut(part + 1, parts, panels);
        let samples = cut(chunk, chunks, batch)..cut(chunk + 1, chunks, batch);

        let [height, _] = geometry.out_size();
        let block = block(geometry);
        let mut slot = self.job.slots.own();
        let (copy, panel) = slot.split_at_mut(padded_copy_len(geometry, block));
        let mut first = true;
        for sample in samples.clone().step_by(block.samples) {
            let count = block.samples.min(samples.end - sample);
            for row in (0..height).step_by(block.rows) {
                let block = Block { samples: count, rows: block.rows.min(height - row) };
                self.add_block(simd, chunk, band, panels.clone(), sample, row, block, first, copy, panel);
                first = false;
            }
        }
    }
}

impl Task<'_> {
    #[inline(always)]
    fn add_block<S: Simd>(
        &self,
        simd: S,
        chunk: usize,
        band: usize,
        panel_range: core::ops::Range<usize>,
        sample: usize,
        row: usize,
        block: Block,
        first_block: bool,
        copy: &mut [f32],
        packed: &mut [f32],
    ) {
        let Job { geometry, input, grad_output, bands, .. } = *self.job;
        let [ic, oc] = [geometry.in_channels / geometry.groups, geometry.out_channels / geometry.groups];
        let [_, width] = geometry.out_size();
        let (map, output) = (geometry.input(), geometry.output());
        let (a, in_width, stride, sample_step) = if !copies(geometry) {
            let place = sample * map.sample_step() + row * geometry.stride[0] * map.row_step();
            (&input[place..], map.size[1], map.stride, map.sample_step())
        } else {
            let size = window(geometry, block.rows);
            let top = (row * geometry.stride[0]) as isize - geometry.padding.top as isize;
            let rectangle = Rectangle { start: [top, -(geometry.padding.left as isize)], size };
            let step = copy_step(geometry);
            let copy_len = size[0] * size[1] * step;
            for (sample, copy) in (sample..sample + block.samples).zip(copy.chunks_exact_mut(copy_len)) {
                copy_padded(&input[map.sample(sample, input.len())], map, rectangle, step, copy);
            }
            (&*copy, size[1], step, copy_len)
        };
        let row_len = in_width * stride;
        let depth = Axes {
            count: [block.samples, block.rows, width],
            step: [sample_step, geometry.stride[0] * row_len, geometry.stride[1] * stride],
        };
        let cells = depth.len();
        let depth = depth.merged();
        let [kh, kw] = geometry.kernel_size;
        let rows =
            Axes { count: [kh, kw, ic], step: [geometry.dilation[0] * row_len, geometry.dilation[1] * stride, 1] };
        let last = rows.reach(rows.step).saturating_add(depth.reach(depth.step));
        assert!(last.saturating_add(geometry.in_channels - ic) < a.len());
        let c_step = [kw * ic * oc, ic * oc, oc];
        let tiles = rows.len().div_ceil(14);
        let cut = |band: usize| (band * tiles / bands * 14).min(rows.len());

        let panels_per_group = panels::<S>(oc);
        for index in panel_range {
            let (group, index) = (index / panels_per_group, index % panels_per_group);
            let (first, columns, width) = panel::<S>(oc, index);
            // Rows of a block are contiguous, and a block of several samples holds them whole.
            let matrix = Matrix {
                start: sample * output.sample_step() + row * output.row_step() + group * oc,
                count: [1, 1, cells],
                step: [0, 0, output.stride as isize],
                columns: oc,
                column_step: 1,
            };
            // Rows that are as wide as the panel need no packing.
            let b = if output.stride == width && oc == width {
                &grad_output[matrix.start..matrix.start + cells * width]
            } else {
                let packed = &mut packed[..cells * width];
                pack(simd, grad_output, &matrix, index, packed);
                &packed[..]
            };

            let place = chunk * geometry.weight_len() + group * rows.len() * oc + first;
            let finish = if first_block { Finish::STORE } else { Finish::ADD };
            let product = Product {
                a: a.as_ptr().wrapping_add(group * ic),
                rows: &rows,
                depth: &depth,
                b: b.as_ptr(),
                b_step: width,
                c: self.job.weights.pointer(place, rows.reach(c_step).saturating_add(columns)),
                c_step,
                columns,
                bias: core::ptr::null(),
                finish,
                fetches: Fetches::default(),
            };
            // SAFETY: all windows lie in the input or in the copy, and all rows in the weight, as checked above; the panel
            // was just packed; this task alone writes these rows and columns of its chunk's weight.
            unsafe { multiply(simd, &product, cut(band), cut(band + 1)) };

            if let (Some(biases), 0) = (self.job.biases, band) {
                let start = chunk * geometry.out_channels + group * oc + first;
                // SAFETY: the channels of this panel in the chunk's bias, which only the first band writes.
                let bias = unsafe { biases.slice(start, columns) };
                if first_block {
                    bias.fill(0.0);
                }
                add_rows(simd, b, width, bias);
            }
        }
    }
}

/// Adds rows of `width` values, one or two vectors, to `sum`, which may be narrower.
#[inline(always)]
fn add_rows<S: Simd>(simd: S, rows: &[f32], width: usize, sum: &mut [f32]) {
    /// Sums that are added side by side, because an addition takes this many cycles.
    const SIDE: usize = 4;
    for (sum, start) in sum.chunks_mut(S::LANES).zip((0..width).step_by(S::LANES)) {
        let mut partial = [simd.splat(0.0); SIDE];
        for rows in rows.chunks(SIDE * width) {
            for (partial, row) in partial.iter_mut().zip(rows.chunks_exact(width)) {
                let row = row[start..start + S::LANES].as_ptr();
                // SAFETY: the slice has just shown `LANES` values.
                *partial = simd.add(*partial, unsafe { simd.load(row) });
            }
        }
        let [a, b, c, d] = partial;
        let total = simd.add(simd.add(a, b), simd.add(c, d));
        // SAFETY: `sum` has `sum.len() <= LANES` values.
        unsafe {
            let before = simd.load_some(sum.as_ptr(), sum.len());
            simd.store_some(sum.as_mut_ptr(), sum.len(), simd.add(before, total));
        }
    }
}
