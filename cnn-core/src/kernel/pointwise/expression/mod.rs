//! Expressions of values at the same place, `map(|x, y| ..)`, and their gradients. One cell of an operand may meet all cells, one
//! channel all channels; its gradient is then the sum over what it meets.

mod sum;

use core::marker::PhantomData;

pub use sum::sum;

use super::math;
use super::number::{Lanes, Number};
use crate::kernel::Write;
use crate::kernel::geometry::{ExpressionGeometry, Map};
use crate::kernel::isa::{self, Kernel, Simd, vectors};
use crate::kernel::memory::chunk::{self, Target};
use crate::kernel::rows::Rows;

/// An expression of `N` numbers, and its gradients.
pub trait Expression<const N: usize>: 'static {
    /// Values that take about as long as one that is only moved.
    const COST: usize;
    /// Which arguments the gradients look at.
    const READS: [bool; N];
    /// Whether the gradients look at the value.
    const READS_VALUE: bool;
    /// Its value.
    fn value<V: Number>(arguments: [V; N]) -> V;
    /// The gradients of the arguments, where that of the value is `grad`. What they do not look at is anything.
    fn gradients<V: Number>(arguments: [V; N], value: V, grad: V) -> [V; N];
}

/// Where the gradient of an operand goes.
#[derive(Debug)]
pub struct Gradient<'a> {
    /// Its values.
    pub values: &'a mut [f32],
    /// Values from a cell to the next, where it is a part of a wider map; else 0.
    pub stride: usize,
    /// Whether others have written there already.
    pub write: Write,
}

/// Values of a piece of work.
const PIECE: usize = 1 << 15;

/// operands -> output `[n, cells, channels]`
///
/// # Panics
/// If they are not of equally many samples.
pub fn forward<E: Expression<N>, const N: usize>(
    geometry: &ExpressionGeometry<N>,
    operands: [&[f32]; N],
    output: &mut [f32],
) {
    let samples = samples(geometry, geometry.output(), output.len());
    check(geometry, samples, operands);
    let maps = core::array::from_fn(|operand| geometry.map(operand));
    let extent = Extent::of(geometry, samples, &[geometry.output()], &maps);
    let (isa, target) = (isa::current(), Target::new(output));
    extent.cut(E::COST, |rows| {
        let operands = core::array::from_fn(|operand| View::of(geometry, operand, &extent, operands[operand].as_ptr()));
        // SAFETY: all cells of all samples lie in the slice, as `samples` has checked, and rows are disjoint.
        let target = ViewMut::of(geometry.output(), &extent, target.pointer(0, 0));
        isa.run(Forward::<E, N> { extent: extent.only(rows), operands, target, expression: PhantomData });
    });
}

/// operands, output `[n, cells, channels]`, grad_output -> the gradients of the operands that are wanted. Of operands and output
/// it looks at what [`Expression::READS`] and [`Expression::READS_VALUE`] say; the others may be empty.
///
/// # Panics
/// If they are not of equally many samples.
pub fn backward<E: Expression<N>, const N: usize>(
    geometry: &ExpressionGeometry<N>,
    operands: [&[f32]; N],
    output: &[f32],
    grad_output: Rows<'_>,
    gradients: [Option<Gradient<'_>>; N],
) {
    let grad_map = Map::new([1, geometry.cells], geometry.channels, grad_output.map(geometry.channels).stride);
    let samples = samples(geometry, grad_map, grad_output.values.len());
    for operand in (0..N).filter(|operand| E::READS[*operand]) {
        assert_eq!(geometry.map(operand).samples(operands[operand].len()), samples, "all maps have the same samples");
    }
    if E::READS_VALUE {
        assert_eq!(geometry.output().samples(output.len()), samples, "all maps have the same samples");
    }
    let mut targets: [Option<To>; N] = [const { None }; N];
    for (operand, gradient) in gradients.into_iter().enumerate() {
        let Some(Gradient { values, stride, write }) = gradient else { continue };
        let own = geometry.map(operand);
        let map = Map::new(own.size, own.channels, stride);
        assert_eq!(map.samples(values.len()), samples, "all maps have the same samples");
        targets[operand] = Some(To { map, values: Target::new(values), add: write == Write::Add });
    }
    if targets.iter().all(Option::is_none) {
        return;
    }
    let sums = (0..N).any(|operand| targets[operand].is_some() && !geometry.operands[operand].is_whole());
    let maps: [Map; N] = core::array::from_fn(|operand| match (&targets[operand], E::READS[operand]) {
        (_, true) => geometry.map(operand),
        (Some(to), false) => to.map,
        (None, false) => grad_map,
    });
    let outer = [grad_map, if E::READS_VALUE { geometry.output() } else { grad_map }];
    let mut extent = Extent::of(geometry, samples, &outer, &maps);
    // Gradients that lie otherwise than what they are of, and those that are sums, go by cells.
    let aside = |to: &To| !to.map.is_dense();
    if sums || targets.iter().flatten().any(aside) {
        extent = Extent::by_cells(geometry, samples);
    }
    let isa = isa::current();
    let targets = &targets;
    let kernel = |extent: Extent| {
        let operands = core::array::from_fn(|operand| {
            let values = if E::READS[operand] { operands[operand].as_ptr() } else { core::ptr::null() };
            View::of(geometry, operand, &extent, values)
        });
        let value = if E::READS_VALUE { output.as_ptr() } else { core::ptr::null() };
        let [value, grad] = [(value, geometry.output()), (grad_output.values.as_ptr(), grad_map)]
            .map(|(start, map)| View { start, sample: extent.sample_step(map), cell: map.stride, wide: true });
        let targets = core::array::from_fn(|operand| {
            targets[operand].as_ref().map(|to| Way {
                to: ViewMut::of(to.map, &extent, to.values.pointer(0, 0)),
                add: to.add,
                channels: geometry.operands[operand].channels,
                cells: geometry.operands[operand].cells,
            })
        });
        Backward::<E, N> { extent, operands, value, grad, targets, expression: PhantomData }
    };
    if sums {
        // A sample is one task, as what meets all of it is one sum.
        chunk::for_each(samples, samples * geometry.cells * geometry.channels * E::COST, |sample| {
            let rows = sample * geometry.cells..(sample + 1) * geometry.cells;
            isa.run(Summed(kernel(extent.only(rows))));
        });
    } else {
        extent.cut(2 * E::COST, |rows| isa.run(kernel(extent.only(rows))));
    }
}

/// How many samples lie in so many values.
fn samples<const N: usize>(geometry: &ExpressionGeometry<N>, map: Map, len: usize) -> usize {
    // One that has no values is none.
    if geometry.cells == 0 || geometry.channels == 0 { 0 } else { map.samples(len) }
}

fn check<const N: usize>(geometry: &ExpressionGeometry<N>, samples: usize, operands: [&[f32]; N]) {
    for (operand, values) in operands.iter().enumerate() {
        assert_eq!(geometry.map(operand).samples(values.len()), samples, "all maps have the same samples");
    }
}

struct To {
    map: Map,
    values: Target,
    add: bool,
}

/// The rows that a loop goes over.
#[derive(Clone)]
struct Extent {
    rows: core::ops::Range<usize>,
    /// Rows of a sample.
    cells: usize,
    /// Values of a row.
    width: usize,
    /// Whether a row is all of a sample, cell by cell, or all of all samples.
    joined: Joined,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Joined {
    No,
    Sample,
    /// A row is one value.
    All,
}

impl Extent {
    /// The longest rows that these maps allow.
    fn of<const N: usize>(
        geometry: &ExpressionGeometry<N>,
        samples: usize,
        outer: &[Map],
        operands: &[Map; N],
    ) -> Self {
        let by_cells = Self::by_cells(geometry, samples);
        let dense = outer.iter().all(Map::is_dense);
        let whole = |operand: usize| geometry.operands[operand].is_whole() && operands[operand].is_dense();
        let single = |operand: usize| !geometry.operands[operand].channels && !geometry.operands[operand].cells;
        let values = geometry.cells * geometry.channels;
        if dense && (0..N).all(whole) {
            Self { rows: 0..samples * values, cells: 1, width: 1, joined: Joined::All }
        } else if dense && (0..N).all(|operand| whole(operand) || single(operand)) {
            Self { rows: 0..samples, cells: 1, width: values, joined: Joined::Sample }
        } else {
            by_cells
        }
    }

    fn by_cells<const N: usize>(geometry: &ExpressionGeometry<N>, samples: usize) -> Self {
        Self { rows: 0..samples * geometry.cells, cells: geometry.cells, width: geometry.channels, joined: Joined::No }
    }

    fn only(&self, rows: core::ops::Range<usize>) -> Self {
        Self { rows, ..self.clone() }
    }

    /// Calls `each` with pieces of the rows, on all threads.
    fn cut(&self, cost: usize, each: impl Fn(core::ops::Range<usize>) + Sync) {
        let (rows, piece) = (self.rows.len(), PIECE.div_ceil(cost * self.width));
        chunk::for_each(rows.div_ceil(piece), rows * self.width * cost, |index| {
            each(index * piece..rows.min((index + 1) * piece));
        });
    }

    /// From a sample of a map to the next, in rows as they are here.
    fn sample_step(&self, map: Map) -> usize {
        match self.joined {
            Joined::All => 1,
            Joined::No | Joined::Sample => map.sample_step(),
        }
    }
}

/// Where an operand's rows are.
#[derive(Clone, Copy)]
struct View {
    start: *const f32,
    sample: usize,
    cell: usize,
    /// Whether it has a value for each of a row's, and not one for all.
    wide: bool,
}

impl View {
    fn of<const N: usize>(
        geometry: &ExpressionGeometry<N>,
        operand: usize,
        extent: &Extent,
        start: *const f32,
    ) -> Self {
        let (kind, map) = (geometry.operands[operand], geometry.map(operand));
        let cell = if kind.cells { map.stride } else { 0 };
        Self { start, sample: extent.sample_step(map), cell, wide: kind.channels }
    }

    /// The row's values.
    #[inline(always)]
    fn row(&self, row: usize, cells: usize) -> *const f32 {
        self.start.wrapping_add(row / cells * self.sample + row % cells * self.cell)
    }

    /// # Safety
    /// The row has so many values from `start` on, or is one for all.
    #[inline(always)]
    unsafe fn load<S: Simd>(&self, simd: S, row: *const f32, start: usize, count: usize) -> S::Vector {
        // SAFETY: the caller's promise.
        unsafe { if self.wide { simd.load_some(row.add(start), count) } else { simd.splat(*row) } }
    }
}

/// Where the rows that are written are.
#[derive(Clone, Copy)]
struct ViewMut {
    start: *mut f32,
    sample: usize,
    cell: usize,
}

impl ViewMut {
    fn of(map: Map, extent: &Extent, start: *mut f32) -> Self {
        let cell = if map.cells() == 1 { 0 } else { map.stride };
        Self { start, sample: extent.sample_step(map), cell }
    }

    #[inline(always)]
    fn row(&self, row: usize, cells: usize) -> *mut f32 {
        self.start.wrapping_add(row / cells * self.sample + row % cells * self.cell)
    }
}

struct Forward<E, const N: usize> {
    extent: Extent,
    operands: [View; N],
    target: ViewMut,
    expression: PhantomData<E>,
}

impl<E: Expression<N>, const N: usize> Forward<E, N> {
    /// Some values of a row, as many as a vector has or fewer.
    ///
    /// # Safety
    /// The row lies in all maps, and is exclusively ours in the target.
    #[inline(always)]
    unsafe fn vector<S: Simd>(&self, simd: S, from: &[*const f32; N], to: *mut f32, [start, count]: [usize; 2]) {
        // SAFETY: the caller's promise.
        unsafe {
            let arguments = core::array::from_fn(|operand| Lanes {
                simd,
                values: self.operands[operand].load(simd, from[operand], start, count),
            });
            simd.store_some(to.add(start), count, E::value(arguments).values);
        }
    }
}

impl<E: Expression<N>, const N: usize> Kernel for Forward<E, N> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { extent, operands, target, .. } = &self;
        let (cells, rows, width) = extent.long_rows();
        for row in rows {
            let from = operands.map(|operand| operand.row(row, cells));
            let to = target.row(row, cells);
            let whole = width - width % S::LANES;
            // SAFETY: the row lies in all maps, whose lengths were checked, and is exclusively ours in the target.
            unsafe {
                for start in (0..whole).step_by(S::LANES) {
                    self.vector(simd, &from, to, [start, S::LANES]);
                }
                if whole < width {
                    self.vector(simd, &from, to, [whole, width - whole]);
                }
            }
        }
    }
}

impl Extent {
    /// Rows of a sample, the rows, and the values of each: where a row is one value, all together are one.
    #[inline(always)]
    fn long_rows(&self) -> (usize, core::ops::Range<usize>, usize) {
        match self.joined {
            Joined::All => (1, self.rows.start..self.rows.start + usize::from(!self.rows.is_empty()), self.rows.len()),
            Joined::No | Joined::Sample => (self.cells, self.rows.clone(), self.width),
        }
    }
}

/// Where a gradient goes, and what it is the gradient of.
#[derive(Clone, Copy)]
struct Way {
    to: ViewMut,
    add: bool,
    channels: bool,
    cells: bool,
}

struct Backward<E, const N: usize> {
    extent: Extent,
    operands: [View; N],
    value: View,
    grad: View,
    targets: [Option<Way>; N],
    expression: PhantomData<E>,
}

/// A row of all maps that a gradient is told from.
struct FromRow<const N: usize> {
    operands: [*const f32; N],
    value: *const f32,
    grad: *const f32,
}

impl<E: Expression<N>, const N: usize> Backward<E, N> {
    #[inline(always)]
    fn row(&self, row: usize, cells: usize) -> FromRow<N> {
        FromRow {
            operands: self.operands.map(|operand| operand.row(row, cells)),
            value: self.value.row(row, cells),
            grad: self.grad.row(row, cells),
        }
    }

    /// The gradients of some values of a row.
    ///
    /// # Safety
    /// The row lies in all maps.
    #[inline(always)]
    unsafe fn gradients<S: Simd>(&self, simd: S, row: &FromRow<N>, [start, count]: [usize; 2]) -> [S::Vector; N] {
        // SAFETY: the caller's promise; what is not read has no memory.
        unsafe {
            let grad = self.grad.load(simd, row.grad, start, count);
            let arguments = core::array::from_fn(|operand| {
                let values = if E::READS[operand] {
                    self.operands[operand].load(simd, row.operands[operand], start, count)
                } else {
                    grad
                };
                Lanes { simd, values }
            });
            let value = if E::READS_VALUE { self.value.load(simd, row.value, start, count) } else { grad };
            E::gradients(arguments, Lanes { simd, values: value }, Lanes { simd, values: grad })
                .map(|lanes| lanes.values)
        }
    }
}

/// # Safety
/// `to` is valid for writes of so many values.
#[inline(always)]
unsafe fn write<S: Simd>(simd: S, to: *mut f32, count: usize, value: S::Vector, add: bool) {
    // SAFETY: the caller's promise.
    unsafe {
        let value = if add { simd.add(value, simd.load_some(to, count)) } else { value };
        simd.store_some(to, count, value);
    }
}

impl<E: Expression<N>, const N: usize> Kernel for Backward<E, N> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (cells, rows, width) = self.extent.long_rows();
        for row in rows {
            let from = self.row(row, cells);
            let to = self.targets.map(|way| way.map(|way| (way.to.row(row, cells), way.add)));
            for (start, count) in vectors::<S>(width) {
                // SAFETY: the row lies in all maps, whose lengths were checked, and is exclusively ours in the targets.
                unsafe {
                    let gradients = self.gradients(simd, &from, [start, count]);
                    for operand in 0..N {
                        if let Some((to, add)) = to[operand] {
                            write(simd, to.add(start), count, gradients[operand], add);
                        }
                    }
                }
            }
        }
    }
}

/// The gradients of one sample, of which some are sums.
struct Summed<E, const N: usize>(Backward<E, N>);

impl<E: Expression<N>, const N: usize> Kernel for Summed<E, N> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        /// Cells whose gradients are added up before they are added to the others', so that rounding stays small.
        const BLOCK: usize = 64;
        let Self(kernel) = self;
        let Extent { rows, cells, width, .. } = kernel.extent.clone();
        let zero = simd.splat(0.0);
        let mut singles = [0.0_f32; N];
        for (start, count) in vectors::<S>(width) {
            let mut sums = [zero; N];
            for first in rows.clone().step_by(BLOCK) {
                let mut block = [zero; N];
                for row in first..rows.end.min(first + BLOCK) {
                    // SAFETY: the row lies in all maps, whose lengths were checked, and the sample is exclusively ours.
                    unsafe {
                        let gradients = kernel.gradients(simd, &kernel.row(row, cells), [start, count]);
                        for operand in 0..N {
                            let gradient = gradients[operand];
                            match &kernel.targets[operand] {
                                None => {}
                                Some(Way { to, add, channels: true, cells: true }) => {
                                    write(simd, to.row(row, cells).add(start), count, gradient, *add);
                                }
                                Some(Way { cells: false, .. }) => {
                                    block[operand] = simd.add(block[operand], gradient);
                                }
                                Some(Way { to, add, channels: false, cells: true }) => {
                                    let (to, sum) = (to.row(row, cells), math::sum_of(simd, gradient, count));
                                    *to = if start > 0 || *add { *to + sum } else { sum };
                                }
                            }
                        }
                    }
                }
                for operand in 0..N {
                    sums[operand] = simd.add(sums[operand], block[operand]);
                }
            }
            for operand in 0..N {
                match &kernel.targets[operand] {
                    Some(Way { to, add, channels: true, cells: false }) => {
                        // SAFETY: as above.
                        unsafe { write(simd, to.row(rows.start, cells).add(start), count, sums[operand], *add) };
                    }
                    Some(Way { channels: false, cells: false, .. }) => {
                        singles[operand] += math::sum_of(simd, sums[operand], count);
                    }
                    _ => {}
                }
            }
        }
        for (target, single) in kernel.targets.iter().zip(singles) {
            if let Some(Way { to, add, channels: false, cells: false }) = target {
                let to = to.row(rows.start, cells);
                // SAFETY: as above.
                unsafe { *to = if *add { *to + single } else { single } };
            }
        }
    }
}
