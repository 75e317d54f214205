//! The input's gradient for few input channels: windows of gradient are computed and added where they belong.
//!
//! Six channels fill six of sixteen lanes. But a row of a window, `kw * ic` values, lies side by side in the gradient of
//! the input, 30 values for LeNet's second convolution (5 x 5, 6 to 16 channels): so lanes run over a window's row, the
//! depth over the output's channels, and what comes out is added to what the neighbouring windows left there. Nothing is
//! multiplied that is not needed, whatever the stride.

use super::Epilogue;
use crate::kernel::geometry::Conv2dGeometry;
use crate::kernel::isa::{Isa, Kernel, MAX_LANES, Simd};
use crate::kernel::memory::chunk::{self, Target};
use crate::kernel::memory::scratch::{Needs, Slots};
use crate::kernel::tile::pack::{Matrix, pack, panel, panels};
use crate::kernel::tile::{Axes, Fetches, Finish, Product, multiply};
use crate::kernel::{FusedActivation, Write};

/// Multiply-adds of a task at least.
const TASK: usize = 1 << 20;
/// Values of a task's gradient at most (unless one row has more): half of a second-level cache of 1 MB.
const COPY: usize = 1 << 17;
/// Tasks at least, when there is enough work.
const TASKS: usize = 16;

/// Whether it takes clearly fewer steps than the correlation by phases.
pub(super) const fn pays(geometry: &Conv2dGeometry) -> bool {
    let [kh, kw] = geometry.kernel_size;
    let [height, width] = geometry.out_size();
    let channels = geometry.in_channels;
    let [rows, columns] = [geometry.in_size[0] as u128 * kh as u128, geometry.in_size[1] as u128 * kw as u128];
    let scatter = (height as u128 * kh as u128)
        .saturating_mul(width as u128)
        .saturating_mul((kw as u128 * channels as u128).next_multiple_of(MAX_LANES as u128));
    let correlate = rows.saturating_mul(columns).saturating_mul(channels.next_multiple_of(MAX_LANES) as u128)
        / (geometry.stride[0] as u128 * geometry.stride[1] as u128);
    geometry.groups == 1 && geometry.dilation[1] == 1 && scatter.saturating_mul(4) < correlate.saturating_mul(3)
}

/// Values of a row of the gradient, with the padding that windows reach over.
const fn row_len(geometry: &Conv2dGeometry) -> usize {
    let [_, width] = geometry.out_size();
    let reached = (width - 1) * geometry.stride[1] + geometry.kernel_size[1];
    let needed = geometry.padding.left + geometry.in_size[1];
    geometry.in_channels.saturating_mul(if reached > needed { reached } else { needed })
}

/// Samples and rows of the gradient of a task, at most: whole samples, or some rows of one.
const fn block(geometry: &Conv2dGeometry) -> [usize; 2] {
    let height = geometry.in_size[0];
    let sample = height.saturating_mul(row_len(geometry));
    if sample > COPY {
        let rows = COPY / row_len(geometry);
        return [1, if rows == 0 { 1 } else { rows }];
    }
    let (fit, worth) = (COPY / sample, TASK.div_ceil(geometry.multiply_adds()));
    [if fit < worth { fit } else { worth }, height]
}

const fn packed_row_len(geometry: &Conv2dGeometry) -> usize {
    let columns = geometry.kernel_size[1].saturating_mul(geometry.in_channels);
    geometry.out_channels.saturating_mul(columns.saturating_add(MAX_LANES - 1) / MAX_LANES * MAX_LANES)
}

/// Values of the packed filters.
pub(super) const fn packed_len(geometry: &Conv2dGeometry) -> usize {
    geometry.kernel_size[0].saturating_mul(packed_row_len(geometry))
}

pub(super) const fn needs(geometry: &Conv2dGeometry) -> Needs {
    let [samples, rows] = block(geometry);
    Needs { shared: packed_len(geometry), per_thread: (samples * rows).saturating_mul(row_len(geometry)) }
}

/// The shell has checked all lengths.
pub(super) fn backward_input(
    isa: Isa,
    geometry: &Conv2dGeometry,
    epilogue: Epilogue<'_>,
    weight: &[f32],
    grad_output: &[f32],
    grad_input: &mut [f32],
    (packed, slots): (&mut [f32], &Slots),
) {
    pack_filters(isa, geometry, weight, packed);
    to_input_packed(isa, geometry, epilogue, packed, grad_output, Target::new(grad_input), slots);
}

/// Packs a weight for [`to_input_packed`].
pub(super) fn pack_filters(isa: Isa, geometry: &Conv2dGeometry, weight: &[f32], packed: &mut [f32]) {
    isa.run(Pack { geometry, weight, packed });
}

/// [`backward_input`] with a weight that is packed.
pub(super) fn to_input_packed(
    isa: Isa,
    geometry: &Conv2dGeometry,
    epilogue: Epilogue<'_>,
    packed: &[f32],
    grad_output: &[f32],
    target: Target,
    slots: &Slots,
) {
    let batch = geometry.output().samples(grad_output.len());
    let [samples, mut rows] = block(geometry);
    let sample_blocks = batch.div_ceil(samples);
    let work = batch * geometry.multiply_adds();
    while sample_blocks * geometry.in_size[0].div_ceil(rows) < (work / TASK).min(TASKS) && rows > 1 {
        rows = rows.div_ceil(2);
    }
    let row_blocks = geometry.in_size[0].div_ceil(rows);
    let job = Job { geometry, packed, grad_output, target, epilogue, slots, batch, samples, rows, row_blocks };
    chunk::for_each(sample_blocks * row_blocks, work, |index| isa.run(Task { job: &job, index }));
}

/// Packs the filters of each row of the window as `[kh][oc][kw * ic]`.
struct Pack<'a> {
    geometry: &'a Conv2dGeometry,
    weight: &'a [f32],
    packed: &'a mut [f32],
}

impl Kernel for Pack<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let [kernel_height, kernel_width] = self.geometry.kernel_size;
        let (oc, columns) = (self.geometry.out_channels, kernel_width * self.geometry.in_channels);
        for (kh, packed) in self.packed.chunks_exact_mut(packed_row_len(self.geometry)).take(kernel_height).enumerate()
        {
            let matrix =
                Matrix { start: kh * columns * oc, count: [1, 1, oc], step: [0, 0, 1], columns, column_step: oc };
            for index in 0..panels::<S>(columns) {
                let (first, _, width) = panel::<S>(columns, index);
                pack(simd, self.weight, &matrix, index, &mut packed[first * oc..(first + width) * oc]);
            }
        }
    }
}

struct Job<'a> {
    geometry: &'a Conv2dGeometry,
    packed: &'a [f32],
    grad_output: &'a [f32],
    target: Target,
    epilogue: Epilogue<'a>,
    slots: &'a Slots,
    batch: usize,
    samples: usize,
    rows: usize,
    row_blocks: usize,
}

struct Task<'a> {
    job: &'a Job<'a>,
    index: usize,
}

impl Kernel for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Job { geometry, packed, grad_output, batch, .. } = *self.job;
        let sample = self.index / self.job.row_blocks * self.job.samples;
        let row = self.index % self.job.row_blocks * self.job.rows;
        let samples = self.job.samples.min(batch - sample);
        let rows = self.job.rows.min(geometry.in_size[0] - row);

        let (ic, oc) = (geometry.in_channels, geometry.out_channels);
        let (input, output) = (geometry.input(), geometry.output());
        let [height, width] = output.size;
        let row_len = row_len(geometry);
        let mut slot = self.job.slots.own();
        let gradient = &mut slot[..samples * rows * row_len];
        gradient.fill(0.0);
        // Rows from the top of the padding.
        let (top, bottom) = (row + geometry.padding.top, row + geometry.padding.top + rows);
        let columns = geometry.kernel_size[1] * ic;
        for (kh, packed) in packed.chunks_exact(packed_row_len(geometry)).take(geometry.kernel_size[0]).enumerate() {
            // Output rows whose tap `kh` lies in these rows.
            let tap = kh * geometry.dilation[0];
            let first_oh = top.saturating_sub(tap).div_ceil(geometry.stride[0]);
            let end_oh = bottom.saturating_sub(tap).div_ceil(geometry.stride[0]).min(height);
            if first_oh >= end_oh {
                continue;
            }
            let first_row = first_oh * geometry.stride[0] + tap - top;
            for ow in 0..width {
                // Windows one below another do not overlap in this row of theirs, those side by side do: a product is
                // one column of windows.
                let rows_of_windows =
                    Axes { count: [1, samples, end_oh - first_oh], step: [0, output.sample_step(), output.row_step()] };
                let depth = Axes { count: [1, 1, oc], step: [0, 0, 1] };
                let a = &grad_output[sample * output.sample_step() + (first_oh * width + ow) * output.stride..];
                let c = first_row * row_len + ow * geometry.stride[1] * ic;
                for index in 0..panels::<S>(columns) {
                    let (first, columns, width) = panel::<S>(columns, index);
                    let product = Product {
                        a: a.as_ptr(),
                        rows: &rows_of_windows,
                        depth: &depth,
                        b: packed[first * oc..(first + width) * oc].as_ptr(),
                        b_step: width,
                        c: gradient[c + first..].as_mut_ptr(),
                        c_step: [0, rows * row_len, geometry.stride[0] * row_len],
                        columns,
                        bias: core::ptr::null(),
                        finish: Finish::ADD,
                        fetches: Fetches::default(),
                    };
                    let last = rows_of_windows.reach(rows_of_windows.step).saturating_add(depth.reach(depth.step));
                    assert!(last < a.len());
                    let end = rows_of_windows.reach(product.c_step).saturating_add(c + first + columns);
                    assert!(end <= gradient.len());
                    // SAFETY: all cells lie in the output's gradient and all rows of windows in the task's own, as just
                    // checked; the panel is as long as the depth.
                    unsafe { multiply(simd, &product, 0, rows_of_windows.len()) };
                }
            }
        }

        let line = (geometry.in_size[1] - 1) * input.stride + ic;
        for (index, from) in gradient.chunks_exact(row_len).enumerate() {
            let from = &from[geometry.padding.left * ic..][..geometry.in_size[1] * ic];
            let place = (sample + index / rows) * input.sample_step() + (row + index % rows) * input.row_step();
            // SAFETY: these rows of these samples are this task's own.
            let to = unsafe { self.job.target.slice(place, line) };
            match self.job.epilogue.write {
                Write::Store if input.is_dense() => to.copy_from_slice(from),
                Write::Add if input.is_dense() => to.iter_mut().zip(from).for_each(|(to, from)| *to += from),
                write => write_cells(to, input.stride, from, ic, write),
            }
            finish_cells(to, input.stride, ic, self.job.epilogue);
            let cells = [1, 1, geometry.in_size[1]];
            // SAFETY: `to` has these cells, and is this task's own.
            unsafe { self.job.epilogue.finish().apply(simd, to.as_mut_ptr(), cells, [0, 0, input.stride], ic) };
        }
    }
}

/// Writes cells that lie one behind the other to cells that are `stride` apart.
fn write_cells(to: &mut [f32], stride: usize, from: &[f32], channels: usize, write: Write) {
    for (to, from) in to.chunks_mut(stride).zip(from.chunks_exact(channels)) {
        match write {
            Write::Store => to[..channels].copy_from_slice(from),
            Write::Add => to.iter_mut().zip(from).for_each(|(to, from)| *to += from),
        }
    }
}

/// Bias and a rectifier for registers, which only a transposed convolution has.
fn finish_cells(values: &mut [f32], stride: usize, channels: usize, epilogue: Epilogue<'_>) {
    if epilogue.bias.is_none() && matches!(epilogue.fused, FusedActivation::None) {
        return;
    }
    for cell in values.chunks_mut(stride) {
        for (c, value) in cell[..channels].iter_mut().enumerate() {
            *value = epilogue.fused.of(*value + epilogue.bias.map_or(0.0, |bias| bias[c]));
        }
    }
}
