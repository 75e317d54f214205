//! Products of matrices, one for each channel of two maps: `torch.matmul` of `[c, h, w]`.
//! <https://pytorch.org/docs/stable/generated/torch.matmul.html>
//!
//! A matrix is told by steps, so its transpose costs nothing. Of one channel both maps are read where they lie; of several, a
//! task copies its channel's values out first.

use crate::kernel::Write;
use crate::kernel::geometry::MatmulGeometry;
use crate::kernel::isa::{self, Isa, Kernel, MAX_LANES, Simd};
use crate::kernel::memory::chunk::{self, Target};
use crate::kernel::memory::scratch::{Needs, Scratch};
use crate::kernel::tile::pack::{self, Matrix};
use crate::kernel::tile::{self, Axes, Fetches, Finish, Product, VECTORS};
use crate::shape::window;

/// Rows of a task: whole tiles on every instruction set.
const ROWS: usize = 84;
/// Products that are tasks enough.
const MANY: usize = 16;
/// Values of a matrix at most that is copied as a whole.
const COPIED: usize = 1 << 16;
/// Columns of a panel at most.
const PANEL: usize = VECTORS * MAX_LANES;

impl MatmulGeometry {
    /// What all functions of this module work in: a panel of the right matrix, and, where there are several channels, some rows
    /// of the left one and of the product.
    pub const fn needs(&self) -> Needs {
        let longest = self.longest();
        let panel = window::product(longest, PANEL);
        let rows = if self.copies_all() && longest > ROWS { longest } else { ROWS };
        let copies = if self.channels > 1 { window::product(rows, window::sum(longest, PANEL)) } else { 0 };
        Needs { shared: 0, per_thread: window::sum(panel, copies) }
    }

    /// Rows, or columns, of the largest matrix in any of the three products.
    const fn longest(&self) -> usize {
        let longest = if self.rows > self.depth { self.rows } else { self.depth };
        if longest > self.columns { longest } else { self.columns }
    }

    /// Whether all rows of a matrix may be copied at once.
    const fn copies_all(&self) -> bool {
        window::product(self.longest(), self.longest()) <= COPIED
    }

    /// The first matrix in memory: rows, then columns.
    const fn first(&self) -> [usize; 2] {
        match self.transposed[0] {
            true => [self.channels, self.rows.saturating_mul(self.channels)],
            false => [self.depth.saturating_mul(self.channels), self.channels],
        }
    }

    const fn second(&self) -> [usize; 2] {
        match self.transposed[1] {
            true => [self.channels, self.depth.saturating_mul(self.channels)],
            false => [self.columns.saturating_mul(self.channels), self.channels],
        }
    }

    const fn product(&self) -> [usize; 2] {
        [self.columns.saturating_mul(self.channels), self.channels]
    }

    /// How many samples there are of maps of these values.
    fn samples(&self, [first, second, product]: [usize; 3]) -> usize {
        let [first_len, second_len, product_len] = self.lens();
        assert!(first_len > 0 && second_len > 0 && product_len > 0, "matrices have values");
        let samples = first / first_len;
        let lens = [first_len, second_len, product_len].map(|len| samples.checked_mul(len));
        assert_eq!([first, second, product].map(Some), lens, "all maps have the same samples");
        samples
    }
}

/// first `[n, rows, depth, c]`, second `[n, depth, columns, c]` -> output `[n, rows, columns, c]`
///
/// # Panics
/// If the maps are not of equally many samples.
pub fn forward(geometry: &MatmulGeometry, first: &[f32], second: &[f32], output: &mut [f32], scratch: &mut Scratch) {
    let samples = geometry.samples([first.len(), second.len(), output.len()]);
    let (left, right) = (Side::new(first, geometry.first()), Side::new(second, geometry.second()));
    let sizes = [geometry.rows, geometry.depth, geometry.columns];
    run(geometry, samples, sizes, left, right, output, Write::Store, scratch);
}

/// second, grad_output -> the gradient of the first map, as that lies: the product of grad_output and the transpose of the
/// second.
///
/// # Panics
/// As [`forward`].
pub fn backward_first(
    geometry: &MatmulGeometry,
    second: &[f32],
    grad_output: &[f32],
    grad_first: &mut [f32],
    write: Write,
    scratch: &mut Scratch,
) {
    let samples = geometry.samples([grad_first.len(), second.len(), grad_output.len()]);
    let MatmulGeometry { rows, depth, columns, .. } = *geometry;
    let (gradient, second) = (Side::new(grad_output, geometry.product()), Side::new(second, geometry.second()));
    if geometry.transposed[0] {
        let sizes = [depth, columns, rows];
        run(geometry, samples, sizes, second, gradient.transposed(), grad_first, write, scratch);
    } else {
        let sizes = [rows, columns, depth];
        run(geometry, samples, sizes, gradient, second.transposed(), grad_first, write, scratch);
    }
}

/// first, grad_output -> the gradient of the second map, as that lies: the product of the transpose of the first and
/// grad_output.
///
/// # Panics
/// As [`forward`].
pub fn backward_second(
    geometry: &MatmulGeometry,
    first: &[f32],
    grad_output: &[f32],
    grad_second: &mut [f32],
    write: Write,
    scratch: &mut Scratch,
) {
    let samples = geometry.samples([first.len(), grad_second.len(), grad_output.len()]);
    let MatmulGeometry { rows, depth, columns, .. } = *geometry;
    let (gradient, first) = (Side::new(grad_output, geometry.product()), Side::new(first, geometry.first()));
    if geometry.transposed[1] {
        let sizes = [columns, rows, depth];
        run(geometry, samples, sizes, gradient.transposed(), first, grad_second, write, scratch);
    } else {
        let sizes = [depth, rows, columns];
        run(geometry, samples, sizes, first.transposed(), gradient, grad_second, write, scratch);
    }
}

/// A matrix of each channel of each sample: from a row to the next, and from a column to the next.
#[derive(Clone, Copy)]
struct Side<'a> {
    values: &'a [f32],
    row: usize,
    column: usize,
}

impl<'a> Side<'a> {
    fn new(values: &'a [f32], [row, column]: [usize; 2]) -> Self {
        Self { values, row, column }
    }

    fn transposed(self) -> Self {
        Self { row: self.column, column: self.row, ..self }
    }

    /// Of `samples` equal parts of the values one.
    fn sample(self, sample: usize, samples: usize) -> Self {
        let len = self.values.len() / samples;
        Self { values: &self.values[sample * len..][..len], ..self }
    }
}

/// `[rows, depth]` times `[depth, columns]` is `[rows, columns]`, which lies dense: of each channel of each sample.
fn run(
    geometry: &MatmulGeometry,
    samples: usize,
    sizes: [usize; 3],
    left: Side<'_>,
    right: Side<'_>,
    target: &mut [f32],
    write: Write,
    scratch: &mut Scratch,
) {
    if samples == 0 {
        return;
    }
    let (_, slots) = scratch.lend(geometry.needs());
    let [rows, ..] = sizes;
    let (channels, len) = (geometry.channels, target.len() / samples);
    let (target, isa) = (Target::new(target), isa::current());
    // A panel is packed for each task: where there are products enough for all threads, a task has all rows.
    let has_all = samples * channels >= MANY && (channels == 1 || geometry.copies_all());
    let of_task = if has_all { rows } else { ROWS };
    let pieces = rows.div_ceil(of_task);
    let work = samples.saturating_mul(geometry.multiply_adds());
    chunk::for_each(samples * channels * pieces, work, |index| {
        let (sample, rest) = (index / (channels * pieces), index % (channels * pieces));
        let (channel, first) = (rest / pieces, rest % pieces * of_task);
        let task = Task {
            sizes,
            channel,
            channels,
            rows: [first, rows.min(first + of_task)],
            left: left.sample(sample, samples),
            right: right.sample(sample, samples),
            target,
            start: sample * len,
            finish: if write == Write::Add { Finish::ADD } else { Finish::STORE },
        };
        let mut slot = slots.own();
        task.run(isa, &mut slot);
    });
}

/// Some rows of one product.
struct Task<'a> {
    sizes: [usize; 3],
    channel: usize,
    channels: usize,
    rows: [usize; 2],
    left: Side<'a>,
    right: Side<'a>,
    target: Target,
    /// The first value of the sample in the target.
    start: usize,
    finish: Finish,
}

impl Task<'_> {
    fn run(&self, isa: Isa, slot: &mut [f32]) {
        struct Run<'t, 'a>(&'t Task<'a>, &'t mut [f32]);
        impl Kernel for Run<'_, '_> {
            type Output = ();
            #[inline(always)]
            fn run<S: Simd>(self, simd: S) {
                let Self(task, slot) = self;
                if task.channels == 1 { task.in_place(simd, slot) } else { task.copied(simd, slot) }
            }
        }
        isa.run(Run(self, slot));
    }

    /// The only channel, from where the matrices lie to where the product does.
    #[inline(always)]
    fn in_place<S: Simd>(&self, simd: S, slot: &mut [f32]) {
        let Self { sizes: [_, depth, columns], rows: [first, end], left, right, .. } = *self;
        let axes = |count, step| Axes { count: [1, 1, count], step: [0, 0, step] };
        let (rows, steps) = (axes(end - first, left.row), axes(depth, left.column));
        assert!(first * left.row + rows.reach(rows.step) + steps.reach(steps.step) < left.values.len());
        let matrix = Matrix {
            start: 0,
            count: [1, 1, depth],
            step: [0, 0, right.row as isize],
            columns,
            column_step: right.column,
        };
        for index in 0..pack::panels::<S>(columns) {
            let (column, count, width) = pack::panel::<S>(columns, index);
            let packed = &mut slot[..depth * width];
            pack::pack(simd, right.values, &matrix, index, packed);
            let rest = (end - first - 1) * columns + count;
            let product = Product {
                a: left.values[first * left.row..].as_ptr(),
                rows: &rows,
                depth: &steps,
                b: packed.as_ptr(),
                b_step: width,
                c: self.target.pointer(self.start + first * columns + column, rest),
                c_step: [0, 0, columns],
                columns: count,
                bias: core::ptr::null(),
                finish: self.finish,
                fetches: Fetches::default(),
            };
            // SAFETY: rows and depth reach as far as the assertion says, the panel has `width` values for each step of the
            // depth, `rest` values of the target are these rows' columns, and they are this task's.
            unsafe { tile::multiply(simd, &product, 0, end - first) };
        }
    }

    /// One channel of several: its values are copied together, and those of the product apart.
    #[inline(always)]
    fn copied<S: Simd>(&self, simd: S, slot: &mut [f32]) {
        let Self { sizes: [_, depth, columns], rows: [first, end], left, right, channel, channels, .. } = *self;
        let (packed, slot) = slot.split_at_mut(depth * PANEL);
        let (copy, slot) = slot.split_at_mut((end - first) * depth);
        let product = &mut slot[..(end - first) * PANEL];
        for (row, copy) in copy.chunks_exact_mut(depth).enumerate() {
            let from = &left.values[channel + (first + row) * left.row..];
            copy.iter_mut().zip(from.iter().step_by(left.column)).for_each(|(to, from)| *to = *from);
        }
        let axes = |count, step| Axes { count: [1, 1, count], step: [0, 0, step] };
        let (rows, steps) = (axes(end - first, depth), axes(depth, 1));
        for index in 0..pack::panels::<S>(columns) {
            let (column, count, width) = pack::panel::<S>(columns, index);
            for (step, packed) in packed.chunks_exact_mut(width).take(depth).enumerate() {
                let from = &right.values[channel + step * right.row + column * right.column..];
                packed[..count].iter_mut().zip(from.iter().step_by(right.column)).for_each(|(to, from)| *to = *from);
                packed[count..].fill(0.0);
            }
            let task = Product {
                a: copy.as_ptr(),
                rows: &rows,
                depth: &steps,
                b: packed.as_ptr(),
                b_step: width,
                c: product.as_mut_ptr(),
                c_step: [0, 0, width],
                columns: width,
                bias: core::ptr::null(),
                finish: Finish::STORE,
                fetches: Fetches::default(),
            };
            // SAFETY: the copy has `depth` values for each row, the panel `width` for each step of the depth, and the product
            // `width <= PANEL` for each row.
            unsafe { tile::multiply(simd, &task, 0, end - first) };
            for (row, values) in product.chunks_exact(width).take(end - first).enumerate() {
                let place = self.start + ((first + row) * columns + column) * channels + channel;
                let to = self.target.pointer(place, (count - 1) * channels + 1);
                for (index, value) in values[..count].iter().enumerate() {
                    // SAFETY: `pointer` has checked that they lie in the target; these channel's values of these rows are this
                    // task's.
                    unsafe {
                        let to = to.add(index * channels);
                        *to = if self.finish.add { *to + value } else { *value };
                    }
                }
            }
        }
    }
}
