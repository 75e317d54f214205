//! Average pooling, with windows of one size or adapted to the wanted output.

use super::Write;
use super::geometry::{AdaptivePool2dGeometry, Pool2dGeometry};
use super::isa::{self, Kernel, Simd};
use super::pool::{Cells, for_each_part};

/// Which cells each output averages.
trait Windows: Sync {
    fn channels(&self) -> usize;
    fn in_size(&self) -> [usize; 2];
    fn out_size(&self) -> [usize; 2];
    /// The cells of a window along an axis.
    fn cells(&self, axis: usize, position: usize) -> Cells;
    /// What the sum of these cells, the window at output row and column `position`, is divided by.
    fn divisor(&self, position: [usize; 2], rows: Cells, columns: Cells) -> usize;
}

impl Windows for Pool2dGeometry {
    fn channels(&self) -> usize {
        self.channels
    }

    fn in_size(&self) -> [usize; 2] {
        self.in_size
    }

    fn out_size(&self) -> [usize; 2] {
        Self::out_size(self)
    }

    #[inline(always)]
    fn cells(&self, axis: usize, position: usize) -> Cells {
        let Self { in_size, kernel_size, stride, padding, .. } = self;
        Cells::of_window(position, [in_size[axis], kernel_size[axis], stride[axis], padding[axis], 1])
    }

    #[inline(always)]
    fn divisor(&self, [oh, ow]: [usize; 2], rows: Cells, columns: Cells) -> usize {
        if self.count_include_pad {
            self.padded_taps(0, oh) * self.padded_taps(1, ow)
        } else {
            rows.count * columns.count
        }
    }
}

impl Windows for AdaptivePool2dGeometry {
    fn channels(&self) -> usize {
        self.channels
    }

    fn in_size(&self) -> [usize; 2] {
        self.in_size
    }

    fn out_size(&self) -> [usize; 2] {
        self.out_size
    }

    #[inline(always)]
    fn cells(&self, axis: usize, position: usize) -> Cells {
        let cells = Self::cells(self, axis, position);
        Cells { first: cells.start, step: 1, count: cells.len() }
    }

    #[inline(always)]
    fn divisor(&self, _position: [usize; 2], rows: Cells, columns: Cells) -> usize {
        rows.count * columns.count
    }
}

/// input `[n, ih, iw, c]` -> output `[n, oh, ow, c]`. <https://pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html>
pub fn average_forward(geometry: &Pool2dGeometry, input: &[f32], output: &mut [f32]) {
    forward(geometry, input, output);
}

/// grad_output `[n, oh, ow, c]` -> grad_input `[n, ih, iw, c]`.
pub fn average_backward(geometry: &Pool2dGeometry, grad_output: &[f32], grad_input: &mut [f32], write: Write) {
    backward(geometry, grad_output, grad_input, write);
}

/// input `[n, ih, iw, c]` -> output `[n, oh, ow, c]`.
/// <https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html>
pub fn adaptive_average_forward(geometry: &AdaptivePool2dGeometry, input: &[f32], output: &mut [f32]) {
    forward(geometry, input, output);
}

/// grad_output `[n, oh, ow, c]` -> grad_input `[n, ih, iw, c]`.
pub fn adaptive_average_backward(
    geometry: &AdaptivePool2dGeometry,
    grad_output: &[f32],
    grad_input: &mut [f32],
    write: Write,
) {
    backward(geometry, grad_output, grad_input, write);
}

/// Values of one sample of the input and of the output; both slices are batches of the same size.
fn sample_lens<W: Windows>(windows: &W, input: &[f32], output: &[f32]) -> [usize; 2] {
    let lens = [windows.in_size(), windows.out_size()].map(|[height, width]| height * width * windows.channels());
    let batch = output.len() / lens[1];
    assert_eq!(output.len(), batch * lens[1]);
    assert_eq!(input.len(), batch * lens[0]);
    lens
}

fn forward<W: Windows>(windows: &W, input: &[f32], output: &mut [f32]) {
    let [in_len, out_len] = sample_lens(windows, input, output);
    let isa = isa::current();
    let [height, width] = windows.out_size();
    let rows = output.len() / out_len * height;
    for_each_part(rows, width * windows.channels(), in_len / height, output, |first, output| {
        isa.run(Forward { windows, input, first, output });
    });
}

/// Output rows from the row `first` of the batch.
struct Forward<'a, W> {
    windows: &'a W,
    input: &'a [f32],
    first: usize,
    output: &'a mut [f32],
}

impl<W: Windows> Kernel for Forward<'_, W> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (windows, channels) = (self.windows, self.windows.channels());
        let ([in_height, in_width], [height, width]) = (windows.in_size(), windows.out_size());
        let (row_len, in_len) = (in_width * channels, in_height * in_width * channels);
        for (row, output) in self.output.chunks_exact_mut(width * channels).enumerate() {
            let (n, oh) = ((self.first + row) / height, (self.first + row) % height);
            let input = &self.input[n * in_len..(n + 1) * in_len];
            let rows = windows.cells(0, oh);
            for (ow, output) in output.chunks_exact_mut(channels).enumerate() {
                let columns = windows.cells(1, ow);
                let divisor = simd.splat(windows.divisor([oh, ow], rows, columns) as f32);
                for c in (0..channels).step_by(S::LANES) {
                    let count = S::LANES.min(channels - c);
                    let mut sum = simd.splat(0.0);
                    for ih in rows.each() {
                        for iw in columns.each() {
                            debug_assert!(ih * row_len + iw * channels + c + count <= in_len);
                            // SAFETY: the cell lies in the map, and has `count` channels from `c` on.
                            let value =
                                unsafe { simd.load_first(input.as_ptr().add(ih * row_len + iw * channels + c), count) };
                            sum = simd.add(sum, value);
                        }
                    }
                    // SAFETY: `output` has `channels` values, `count` from `c` on.
                    unsafe { simd.store_first(output.as_mut_ptr().add(c), count, simd.div(sum, divisor)) };
                }
            }
        }
    }
}

fn backward<W: Windows>(windows: &W, grad_output: &[f32], grad_input: &mut [f32], write: Write) {
    let [in_len, out_len] = sample_lens(windows, grad_input, grad_output);
    let isa = isa::current();
    let batch = grad_output.len() / out_len;
    for_each_part(batch, in_len, 2 * in_len, grad_input, |first, grad_input| {
        isa.run(Backward { windows, grad_output, first, grad_input, write });
    });
}

/// Samples from the sample `first` of the batch.
struct Backward<'a, W> {
    windows: &'a W,
    grad_output: &'a [f32],
    first: usize,
    grad_input: &'a mut [f32],
    write: Write,
}

impl<W: Windows> Kernel for Backward<'_, W> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (windows, channels) = (self.windows, self.windows.channels());
        let ([in_height, in_width], [height, width]) = (windows.in_size(), windows.out_size());
        let (row_len, in_len) = (in_width * channels, in_height * in_width * channels);
        let out_len = height * width * channels;
        for (sample, grad_input) in self.grad_input.chunks_exact_mut(in_len).enumerate() {
            let n = self.first + sample;
            let mut grad_output = self.grad_output[n * out_len..(n + 1) * out_len].chunks_exact(channels);
            if self.write == Write::Store {
                grad_input.fill(0.0);
            }
            for oh in 0..height {
                let rows = windows.cells(0, oh);
                for ow in 0..width {
                    let columns = windows.cells(1, ow);
                    let divisor = simd.splat(windows.divisor([oh, ow], rows, columns) as f32);
                    let grad_output = grad_output.next().expect("a gradient for each window");
                    for c in (0..channels).step_by(S::LANES) {
                        let count = S::LANES.min(channels - c);
                        // SAFETY: `grad_output` has `channels` values, `count` from `c` on.
                        let grad = unsafe { simd.load_first(grad_output.as_ptr().add(c), count) };
                        let share = simd.div(grad, divisor);
                        for ih in rows.each() {
                            for iw in columns.each() {
                                debug_assert!(ih * row_len + iw * channels + c + count <= in_len);
                                // SAFETY: the cell lies in the map, and has `count` channels from `c` on.
                                unsafe {
                                    let to = grad_input.as_mut_ptr().add(ih * row_len + iw * channels + c);
                                    simd.store_first(to, count, simd.add(share, simd.load_first(to, count)));
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
