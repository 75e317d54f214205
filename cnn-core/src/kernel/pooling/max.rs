//! Max pooling. Padding never wins; of equals the first wins, row by row; NaN wins over numbers, as in PyTorch.

use core::ops::Range;

use super::{Cells, Windows, for_each_strip};
use crate::kernel::Write;
use crate::kernel::geometry::{AdaptivePool2dGeometry, Map, Pool2dGeometry};
use crate::kernel::isa::{self, Kernel, Simd, vectors};
use crate::kernel::memory::chunk;

/// The cells under a window of one sample: the place of the first channel of the first cell, how many rows and columns of
/// cells there are, and how many values apart.
#[derive(Clone, Copy)]
struct Window {
    start: usize,
    count: [usize; 2],
    step: [usize; 2],
}

impl Window {
    #[inline(always)]
    fn new(input: &Map, rows: Cells, columns: Cells) -> Self {
        let [row_step, step] = [input.row_step(), input.stride];
        Self {
            start: rows.first.wrapping_mul(row_step).wrapping_add(columns.first.wrapping_mul(step)),
            count: [rows.count, columns.count],
            step: [rows.step * row_step, columns.step * step],
        }
    }

    /// Calls `each` with the places of the cells, row by row.
    #[inline(always)]
    fn for_each_place(self, mut each: impl FnMut(usize)) {
        for kh in 0..self.count[0] {
            for kw in 0..self.count[1] {
                each(self.start + kh * self.step[0] + kw * self.step[1]);
            }
        }
    }
}

/// Calls the function for each vector of channels of a window, with counts of cells that the compiler knows for the usual
/// windows, so that it unrolls their loops.
macro_rules! for_each_vector {
    ($channels:ident, $window:ident, |$w:ident, $c:ident, $count:ident| $body:block) => {
        // The portable set takes the loops as they are, which compiles faster.
        match S::REGISTERS {
            0 => for_each_vector!(@ $channels, $window, $w, $c, $count, $body),
            _ => match $window.count {
                [2, 2] => for_each_vector!(@ $channels, Window { count: [2, 2], ..$window }, $w, $c, $count, $body),
                [3, 3] => for_each_vector!(@ $channels, Window { count: [3, 3], ..$window }, $w, $c, $count, $body),
                _ => for_each_vector!(@ $channels, $window, $w, $c, $count, $body),
            },
        }
    };
    (@ $channels:ident, $window:expr, $w:ident, $c:ident, $count:ident, $body:block) => {{
        let $w = $window;
        for ($c, $count) in vectors::<S>($channels) {
            $body
        }
    }};
}

/// input `[n, ih, iw, c]` -> output `[n, oh, ow, c]`. <https://pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html>
pub fn max_forward(geometry: &Pool2dGeometry, input: &[f32], output: &mut [f32]) {
    forward(&Windows::Equal(*geometry), input, output);
}

/// input `[n, ih, iw, c]` -> output `[n, oh, ow, c]`.
/// <https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool2d.html>
pub fn adaptive_max_forward(geometry: &AdaptivePool2dGeometry, input: &[f32], output: &mut [f32]) {
    forward(&Windows::Adaptive(*geometry), input, output);
}

fn forward(windows: &Windows, input: &[f32], output: &mut [f32]) {
    let map = windows.output();
    let batch = map.samples(output.len());
    assert_eq!(windows.input().samples(input.len()), batch);
    let isa = isa::current();
    let work = map.size[1] * map.channels * windows.cells_of_window();
    chunk::for_each_part(batch * map.size[0], map.row_step(), work, output, |first, output| {
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
        let channels = windows.input().channels;
        let (map, out_map) = (windows.input(), windows.output());
        let height = out_map.size[0];
        for (row, output) in self.output.chunks_mut(out_map.row_step()).enumerate() {
            let (n, oh) = ((self.first + row) / height, (self.first + row) % height);
            let input = &self.input[map.sample(n, self.input.len())];
            let rows = windows.cells(0, oh);
            for (ow, output) in output.chunks_mut(out_map.stride).enumerate() {
                let columns = windows.cells(1, ow);
                let window = Window::new(&map, rows, columns);
                for_each_vector!(channels, window, |window, c, count| {
                    forward_vector(simd, input, window, c, count, output);
                });
            }
        }
    }
}

/// The values `place..place + count` of a sample, which the caller knows to be in it.
#[inline(always)]
fn load<S: Simd>(simd: S, sample: &[f32], place: usize, count: usize) -> S::Vector {
    debug_assert!(place + count <= sample.len());
    // SAFETY: a window's cells lie in the map, and `count` channels from `c` on are channels of a cell.
    unsafe { simd.load_some(sample.as_ptr().add(place), count) }
}

/// The maxima of the channels `c..c + count`.
#[inline(always)]
fn forward_vector<S: Simd>(simd: S, input: &[f32], window: Window, c: usize, count: usize, output: &mut [f32]) {
    let mut best = simd.splat(f32::NEG_INFINITY);
    // A cheap test for all cells at once: a sum is NaN if any is, or if infinities meet in it.
    let mut sum = simd.splat(0.0);
    window.for_each_place(
        #[inline(always)]
        |place| {
            best = simd.max(best, load(simd, input, place + c, count));
            sum = simd.add(sum, load(simd, input, place + c, count));
        },
    );
    if simd.any_nan(sum) {
        return simd.run(ForwardNan { input, window, c, count, output });
    }
    // SAFETY: `output` has the channels of one cell.
    unsafe { simd.store_some(output.as_mut_ptr().add(c), count, best) };
}

/// [`forward_vector`] where there may be NaN: a function of its own, which windows of all sizes share.
struct ForwardNan<'a> {
    input: &'a [f32],
    window: Window,
    c: usize,
    count: usize,
    output: &'a mut [f32],
}

impl Kernel for ForwardNan<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { input, window, c, count, output } = self;
        let mut best = simd.splat(f32::NEG_INFINITY);
        window.for_each_place(
            #[inline(always)]
            |place| {
                let value = load(simd, input, place + c, count);
                best = simd.select(simd.beats(value, best), value, best);
            },
        );
        // SAFETY: `output` has the channels of one cell.
        unsafe { simd.store_some(output.as_mut_ptr().add(c), count, best) };
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
    backward(&Windows::Equal(*geometry), input, output, grad_output, grad_input, write);
}

/// input `[n, ih, iw, c]`, output of the forward pass, grad_output `[n, oh, ow, c]` -> grad_input `[n, ih, iw, c]`.
pub fn adaptive_max_backward(
    geometry: &AdaptivePool2dGeometry,
    input: &[f32],
    output: &[f32],
    grad_output: &[f32],
    grad_input: &mut [f32],
    write: Write,
) {
    backward(&Windows::Adaptive(*geometry), input, output, grad_output, grad_input, write);
}

fn backward(
    windows: &Windows,
    input: &[f32],
    output: &[f32],
    grad_output: &[f32],
    grad_input: &mut [f32],
    write: Write,
) {
    let (map, out_map) = (windows.input(), windows.output());
    let batch = out_map.samples(grad_output.len());
    assert_eq!(out_map.samples(output.len()), batch);
    assert_eq!(map.samples(input.len()), batch);
    assert_eq!(map.samples(grad_input.len()), batch);
    let isa = isa::current();
    // Windows that do not overlap meet each cell at most once, which saves adding to what is there.
    let add = write == Write::Add || !windows.are_apart();
    for_each_strip(
        batch,
        map,
        grad_input,
        write == Write::Store && !windows.cover(),
        |sample, channels, grad_input| {
            isa.run(Backward { windows, input, output, grad_output, sample, channels, grad_input, add });
        },
    );
}

/// Some channels of a sample.
struct Backward<'a> {
    windows: &'a Windows,
    input: &'a [f32],
    output: &'a [f32],
    grad_output: &'a [f32],
    sample: usize,
    channels: Range<usize>,
    /// The first of them in the first cell.
    grad_input: *mut f32,
    add: bool,
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let windows = self.windows;
        let (n, first, channels) = (self.sample, self.channels.start, self.channels.len());
        let (map, out_map) = (windows.input(), windows.output());
        let [height, width] = out_map.size;
        let input = &self.input[map.sample(n, self.input.len())][first..];
        let output = self.output[out_map.sample(n, self.output.len())].chunks(out_map.stride);
        let grad_output = self.grad_output[out_map.sample(n, self.grad_output.len())].chunks(out_map.stride);
        let mut values = output.zip(grad_output);
        for oh in 0..height {
            let rows = windows.cells(0, oh);
            for ow in 0..width {
                let columns = windows.cells(1, ow);
                let (output, grad_output) = values.next().expect("a value for each window");
                let (output, grad_output) = (&output[first..], &grad_output[first..]);
                let window = Window::new(&map, rows, columns);
                for_each_vector!(channels, window, |window, c, count| {
                    backward_vector(simd, input, window, c, count, output, grad_output, self.grad_input, self.add);
                });
            }
        }
    }
}

/// The shares of the channels `c..c + count`.
#[inline(always)]
fn backward_vector<S: Simd>(
    simd: S,
    input: &[f32],
    window: Window,
    c: usize,
    count: usize,
    output: &[f32],
    grad_output: &[f32],
    grad_input: *mut f32,
    add: bool,
) {
    // SAFETY: both have the channels of one cell.
    let (best, mut grad) =
        unsafe { (simd.load_some(output.as_ptr().add(c), count), simd.load_some(grad_output.as_ptr().add(c), count)) };
    let cells = Shares { input, window, c, count, grad_input, add };
    if simd.any_nan(best) {
        return simd.run(BackwardNan { cells, output, grad_output });
    }
    cells.give(
        simd,
        &mut grad,
        #[inline(always)]
        |value| simd.equal(value, best),
    );
}

/// Where the cells of a window are, for the channels `c..c + count`.
struct Shares<'a> {
    input: &'a [f32],
    window: Window,
    c: usize,
    count: usize,
    grad_input: *mut f32,
    add: bool,
}

impl Shares<'_> {
    /// The first winner takes all that there is.
    #[inline(always)]
    fn give<S: Simd>(&self, simd: S, grad: &mut S::Vector, mut wins: impl FnMut(S::Vector) -> S::Mask) {
        let Self { input, window, c, count, grad_input, add } = *self;
        let zero = simd.splat(0.0);
        window.for_each_place(
            #[inline(always)]
            |place| {
                let wins = wins(load(simd, input, place + c, count));
                let mut share = simd.select(wins, *grad, zero);
                *grad = simd.select(wins, zero, *grad);
                // SAFETY: `grad_input` has the cells of `input`, and these channels of them are this task's.
                unsafe {
                    let to = grad_input.add(place + c);
                    if add {
                        share = simd.add(share, simd.load_some(to, count));
                    }
                    simd.store_some(to, count, share);
                }
            },
        );
    }
}

/// [`backward_vector`] where a maximum is NaN: a function of its own, which windows of all sizes share.
struct BackwardNan<'a> {
    cells: Shares<'a>,
    output: &'a [f32],
    grad_output: &'a [f32],
}

impl Kernel for BackwardNan<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { cells, output, grad_output } = self;
        let Shares { input, window, c, count, .. } = cells;
        // SAFETY: both have the channels of one cell.
        let (best, mut grad) = unsafe {
            (simd.load_some(output.as_ptr().add(c), count), simd.load_some(grad_output.as_ptr().add(c), count))
        };
        // Which tap was the last NaN, if there are any.
        let (mut last_nan, mut tap) = (simd.splat(-1.0), 0.0);
        window.for_each_place(
            #[inline(always)]
            |place| {
                // Nothing but NaN beats infinity.
                let is_nan = simd.beats(load(simd, input, place + c, count), simd.splat(f32::INFINITY));
                last_nan = simd.select(is_nan, simd.splat(tap), last_nan);
                tap += 1.0;
            },
        );
        let mut tap = 0.0;
        cells.give(
            simd,
            &mut grad,
            #[inline(always)]
            |value| {
                let this = simd.splat(tap);
                tap += 1.0;
                simd.equal(simd.select(simd.equal(value, best), this, last_nan), this)
            },
        );
    }
}
