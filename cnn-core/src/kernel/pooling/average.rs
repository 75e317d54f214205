//! Average pooling, with windows of one size or adapted to the wanted output.

use core::ops::Range;

use super::{Windows, for_each_strip};
use crate::kernel::Write;
use crate::kernel::geometry::{AdaptivePool2dGeometry, Pool2dGeometry};
use crate::kernel::isa::{self, Kernel, Simd, vectors};
use crate::kernel::memory::chunk;

/// input `[n, ih, iw, c]` -> output `[n, oh, ow, c]`. <https://pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html>
pub fn average_forward(geometry: &Pool2dGeometry, input: &[f32], output: &mut [f32]) {
    forward(&Windows::Equal(*geometry), input, output);
}

/// grad_output `[n, oh, ow, c]` -> grad_input `[n, ih, iw, c]`.
pub fn average_backward(geometry: &Pool2dGeometry, grad_output: &[f32], grad_input: &mut [f32], write: Write) {
    backward(&Windows::Equal(*geometry), grad_output, grad_input, write);
}

/// input `[n, ih, iw, c]` -> output `[n, oh, ow, c]`.
/// <https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html>
pub fn adaptive_average_forward(geometry: &AdaptivePool2dGeometry, input: &[f32], output: &mut [f32]) {
    forward(&Windows::Adaptive(*geometry), input, output);
}

/// grad_output `[n, oh, ow, c]` -> grad_input `[n, ih, iw, c]`.
pub fn adaptive_average_backward(
    geometry: &AdaptivePool2dGeometry,
    grad_output: &[f32],
    grad_input: &mut [f32],
    write: Write,
) {
    backward(&Windows::Adaptive(*geometry), grad_output, grad_input, write);
}

/// How many samples both slices are a batch of.
fn batch(windows: &Windows, input: &[f32], output: &[f32]) -> usize {
    let batch = windows.output().samples(output.len());
    assert_eq!(windows.input().samples(input.len()), batch);
    batch
}

fn forward(windows: &Windows, input: &[f32], output: &mut [f32]) {
    let batch = batch(windows, input, output);
    let isa = isa::current();
    let (map, out_map) = (windows.input(), windows.output());
    let height = out_map.size[0];
    let work = map.cells() * map.channels / height;
    chunk::for_each_part(batch * height, out_map.row_step(), work, output, |first, output| {
        isa.run(Forward { windows, input, first, output });
    });
}

/// Output rows from the row `first` of the batch.
struct Forward<'a> {
    windows: &'a Windows,
    input: &'a [f32],
    first: usize,
    output: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let windows = self.windows;
        let (map, out_map) = (windows.input(), windows.output());
        let (channels, height) = (map.channels, out_map.size[0]);
        for (row, output) in self.output.chunks_mut(out_map.row_step()).enumerate() {
            let (n, oh) = ((self.first + row) / height, (self.first + row) % height);
            let input = &self.input[map.sample(n, self.input.len())];
            let rows = windows.cells(0, oh);
            for (ow, output) in output.chunks_mut(out_map.stride).enumerate() {
                let columns = windows.cells(1, ow);
                let divisor = simd.splat(windows.divisor([oh, ow], rows, columns) as f32);
                for (c, count) in vectors::<S>(channels) {
                    let mut sum = simd.splat(0.0);
                    for ih in rows.each() {
                        for iw in columns.each() {
                            let place = ih * map.row_step() + iw * map.stride + c;
                            debug_assert!(place + count <= input.len());
                            // SAFETY: the cell lies in the map, and has `count` channels from `c` on.
                            let value = unsafe { simd.load_some(input.as_ptr().add(place), count) };
                            sum = simd.add(sum, value);
                        }
                    }
                    // SAFETY: `output` has `channels` values, `count` from `c` on.
                    unsafe { simd.store_some(output.as_mut_ptr().add(c), count, simd.div(sum, divisor)) };
                }
            }
        }
    }
}

fn backward(windows: &Windows, grad_output: &[f32], grad_input: &mut [f32], write: Write) {
    let batch = batch(windows, grad_input, grad_output);
    let isa = isa::current();
    let map = windows.input();
    for_each_strip(batch, map, grad_input, write == Write::Store, |sample, channels, grad_input| {
        isa.run(Backward { windows, grad_output, sample, channels, grad_input });
    });
}

/// Some channels of a sample, whose shares are added to what is there.
struct Backward<'a> {
    windows: &'a Windows,
    grad_output: &'a [f32],
    sample: usize,
    channels: Range<usize>,
    /// The first of them in the first cell.
    grad_input: *mut f32,
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let windows = self.windows;
        let (map, out_map) = (windows.input(), windows.output());
        let (n, first, channels) = (self.sample, self.channels.start, self.channels.len());
        let [height, width] = out_map.size;
        let mut grad_output = self.grad_output[out_map.sample(n, self.grad_output.len())].chunks(out_map.stride);
        for oh in 0..height {
            let rows = windows.cells(0, oh);
            for ow in 0..width {
                let columns = windows.cells(1, ow);
                let divisor = simd.splat(windows.divisor([oh, ow], rows, columns) as f32);
                let grad_output = &grad_output.next().expect("a gradient for each window")[first..];
                for (c, count) in vectors::<S>(channels) {
                    // SAFETY: `grad_output` has `channels` values, `count` from `c` on.
                    let grad = unsafe { simd.load_some(grad_output.as_ptr().add(c), count) };
                    let share = simd.div(grad, divisor);
                    for ih in rows.each() {
                        for iw in columns.each() {
                            let place = ih * map.row_step() + iw * map.stride + c;
                            // SAFETY: the cell lies in the map, and `count` channels of it from `c` on are this task's.
                            unsafe {
                                let to = self.grad_input.add(place);
                                simd.store_some(to, count, simd.add(share, simd.load_some(to, count)));
                            }
                        }
                    }
                }
            }
        }
    }
}
