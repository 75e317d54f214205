//! Max pooling. Padding never wins; of equals the first wins, row by row; NaN wins over numbers, as in PyTorch.

use super::Write;
use super::geometry::Pool2dGeometry;
use super::isa::{self, Kernel, Simd};
use super::pool::{Cells, for_each_part};

/// The cells under the window at this output row or column.
#[inline(always)]
fn cells(geometry: &Pool2dGeometry, axis: usize, position: usize) -> Cells {
    let Pool2dGeometry { in_size, kernel_size, stride, padding, dilation, .. } = geometry;
    Cells::of_window(position, [in_size[axis], kernel_size[axis], stride[axis], padding[axis], dilation[axis]])
}

/// Runs the call with counts of taps that the compiler knows, for the usual windows: it unrolls their loops (1.2 times as
/// fast on LeNet's 2 x 2 windows).
macro_rules! with_constant_counts {
    ($rows:ident, $columns:ident, $call:expr) => {
        match ($rows.count, $columns.count) {
            (2, 2) => {
                let ($rows, $columns) = (Cells { count: 2, ..$rows }, Cells { count: 2, ..$columns });
                $call
            }
            (3, 3) => {
                let ($rows, $columns) = (Cells { count: 3, ..$rows }, Cells { count: 3, ..$columns });
                $call
            }
            _ => $call,
        }
    };
}

/// input `[n, ih, iw, c]` -> output `[n, oh, ow, c]`. <https://pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html>
pub fn max_forward(geometry: &Pool2dGeometry, input: &[f32], output: &mut [f32]) {
    let batch = output.len() / geometry.out_len();
    assert_eq!(output.len(), batch * geometry.out_len());
    assert_eq!(input.len(), batch * geometry.in_len());
    let isa = isa::current();
    let [height, width] = geometry.out_size();
    let row = width * geometry.channels;
    let work = row * geometry.kernel_size[0] * geometry.kernel_size[1];
    for_each_part(batch * height, row, work, output, |first, output| {
        isa.run(Forward { geometry, input, first, output });
    });
}

/// Output rows from the row `first` of the batch.
struct Forward<'a> {
    geometry: &'a Pool2dGeometry,
    input: &'a [f32],
    first: usize,
    output: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let geometry = self.geometry;
        let channels = geometry.channels;
        let [height, width] = geometry.out_size();
        for (row, output) in self.output.chunks_exact_mut(width * channels).enumerate() {
            let (n, oh) = ((self.first + row) / height, (self.first + row) % height);
            let input = &self.input[n * geometry.in_len()..(n + 1) * geometry.in_len()];
            let rows = cells(geometry, 0, oh);
            for (ow, output) in output.chunks_exact_mut(channels).enumerate() {
                let columns = cells(geometry, 1, ow);
                with_constant_counts!(rows, columns, forward_window(simd, geometry, input, rows, columns, output));
            }
        }
    }
}

#[inline(always)]
fn forward_window<S: Simd>(
    simd: S,
    geometry: &Pool2dGeometry,
    input: &[f32],
    rows: Cells,
    columns: Cells,
    output: &mut [f32],
) {
    let channels = geometry.channels;
    let row_len = geometry.in_size[1] * channels;
    for c in (0..channels).step_by(S::LANES) {
        let count = S::LANES.min(channels - c);
        let value = |ih: usize, iw: usize| {
            debug_assert!(ih * row_len + iw * channels + c + count <= input.len());
            // SAFETY: the cell lies in the map, and has `count` channels from `c` on.
            unsafe { simd.load_first(input.as_ptr().add(ih * row_len + iw * channels + c), count) }
        };
        let mut best = simd.splat(f32::NEG_INFINITY);
        // A cheap test for all cells at once: a sum is NaN if any is, or if infinities meet in it.
        let mut sum = simd.splat(0.0);
        for ih in rows.each() {
            for iw in columns.each() {
                best = simd.max(best, value(ih, iw));
                sum = simd.add(sum, value(ih, iw));
            }
        }
        if simd.any_nan(sum) {
            best = simd.splat(f32::NEG_INFINITY);
            for ih in rows.each() {
                for iw in columns.each() {
                    let value = value(ih, iw);
                    best = simd.select(simd.beats(value, best), value, best);
                }
            }
        }
        // SAFETY: `output` has `channels` values, `count` from `c` on.
        unsafe { simd.store_first(output.as_mut_ptr().add(c), count, best) };
    }
}

/// input `[n, ih, iw, c]`, output of the forward pass, grad_output `[n, oh, ow, c]` -> grad_input `[n, ih, iw, c]`.
pub fn max_backward(
    geometry: &Pool2dGeometry,
    input: &[f32],
    output: &[f32],
    grad_output: &[f32],
    grad_input: &mut [f32],
    write: Write,
) {
    let batch = grad_output.len() / geometry.out_len();
    assert_eq!(grad_output.len(), batch * geometry.out_len());
    assert_eq!(output.len(), grad_output.len());
    assert_eq!(input.len(), batch * geometry.in_len());
    assert_eq!(grad_input.len(), input.len());
    let isa = isa::current();
    let len = geometry.in_len();
    for_each_part(batch, len, 2 * len, grad_input, |first, grad_input| {
        isa.run(Backward { geometry, input, output, grad_output, first, grad_input, write });
    });
}

/// Samples from the sample `first` of the batch.
struct Backward<'a> {
    geometry: &'a Pool2dGeometry,
    input: &'a [f32],
    output: &'a [f32],
    grad_output: &'a [f32],
    first: usize,
    grad_input: &'a mut [f32],
    write: Write,
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let geometry = self.geometry;
        let (channels, in_len, out_len) = (geometry.channels, geometry.in_len(), geometry.out_len());
        let [height, width] = geometry.out_size();
        // Windows that do not overlap meet each cell at most once, which saves adding to what is there.
        let apart =
            (0..2).all(|axis| (geometry.kernel_size[axis] - 1) * geometry.dilation[axis] < geometry.stride[axis]);
        let add = self.write == Write::Add || !apart;
        let covered = apart
            && (0..2).all(|axis| {
                geometry.kernel_size[axis] == geometry.stride[axis]
                    && geometry.in_size[axis] == geometry.out_size()[axis] * geometry.stride[axis]
                    && geometry.dilation[axis] == 1
                    && geometry.padding[axis] == 0
            });
        for (sample, grad_input) in self.grad_input.chunks_exact_mut(in_len).enumerate() {
            let n = self.first + sample;
            let input = &self.input[n * in_len..(n + 1) * in_len];
            let output = self.output[n * out_len..(n + 1) * out_len].chunks_exact(channels);
            let grad_output = self.grad_output[n * out_len..(n + 1) * out_len].chunks_exact(channels);
            let mut windows = output.zip(grad_output);
            if self.write == Write::Store && !covered {
                grad_input.fill(0.0);
            }
            for oh in 0..height {
                let rows = cells(geometry, 0, oh);
                for ow in 0..width {
                    let columns = cells(geometry, 1, ow);
                    let (output, grad_output) = windows.next().expect("a value for each window");
                    with_constant_counts!(
                        rows,
                        columns,
                        backward_window(simd, geometry, input, rows, columns, output, grad_output, grad_input, add)
                    );
                }
            }
        }
    }
}

#[inline(always)]
fn backward_window<S: Simd>(
    simd: S,
    geometry: &Pool2dGeometry,
    input: &[f32],
    rows: Cells,
    columns: Cells,
    output: &[f32],
    grad_output: &[f32],
    grad_input: &mut [f32],
    add: bool,
) {
    let channels = geometry.channels;
    let row_len = geometry.in_size[1] * channels;
    let zero = simd.splat(0.0);
    for c in (0..channels).step_by(S::LANES) {
        let count = S::LANES.min(channels - c);
        // SAFETY: both have `channels` values, `count` from `c` on.
        let (best, mut grad) = unsafe {
            (simd.load_first(output.as_ptr().add(c), count), simd.load_first(grad_output.as_ptr().add(c), count))
        };
        let place = |ih: usize, iw: usize| {
            let place = ih * row_len + iw * channels + c;
            debug_assert!(place + count <= input.len());
            place
        };
        // Which tap was the last NaN, if there are any.
        let mut last_nan = simd.splat(-1.0);
        let some_nan = simd.any_nan(best);
        if some_nan {
            let mut tap = 0.0;
            for ih in rows.each() {
                for iw in columns.each() {
                    // SAFETY: the cell lies in the map, and has `count` channels from `c` on.
                    let value = unsafe { simd.load_first(input.as_ptr().add(place(ih, iw)), count) };
                    // Nothing but NaN beats infinity.
                    let is_nan = simd.beats(value, simd.splat(f32::INFINITY));
                    last_nan = simd.select(is_nan, simd.splat(tap), last_nan);
                    tap += 1.0;
                }
            }
        }
        let mut tap = 0.0;
        for ih in rows.each() {
            for iw in columns.each() {
                let place = place(ih, iw);
                // SAFETY: the cell lies in the map, and has `count` channels from `c` on; `grad_input` is as long.
                unsafe {
                    let mut wins = simd.equal(simd.load_first(input.as_ptr().add(place), count), best);
                    if some_nan {
                        let one = simd.select(wins, simd.splat(tap), last_nan);
                        wins = simd.equal(one, simd.splat(tap));
                    }
                    let mut share = simd.select(wins, grad, zero);
                    // The first winner takes all.
                    grad = simd.select(wins, zero, grad);
                    if add {
                        share = simd.add(share, simd.load_first(grad_input.as_ptr().add(place), count));
                    }
                    simd.store_first(grad_input.as_mut_ptr().add(place), count, share);
                }
                tap += 1.0;
            }
        }
    }
}
