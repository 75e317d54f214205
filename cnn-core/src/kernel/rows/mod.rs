//! Rows of channels: every cell of a batch of maps is one, whatever the height and width.

pub(crate) mod column_sums;
pub(crate) mod finite;
pub(crate) mod strip;

use crate::kernel::finish::{At, From};
use crate::kernel::geometry::Map;
use crate::kernel::isa::{self, Isa, Kernel, Simd, vectors};
use crate::kernel::memory::chunk::{self, Target};
use crate::kernel::{Then, Write};

/// Rows in memory, for reading.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    pub(crate) values: &'a [f32],
    stride: usize,
}

/// Rows in memory, for writing.
#[derive(Debug)]
pub struct RowsMut<'a> {
    pub(crate) values: &'a mut [f32],
    stride: usize,
}

impl<'a> Rows<'a> {
    /// One behind the other: a map that stands alone.
    pub const fn dense(values: &'a [f32]) -> Self {
        Self { values, stride: 0 }
    }

    /// So many values apart: some of the channels of a wider map, from the first of them on. 0 is [`dense`](Self::dense).
    pub const fn strided(values: &'a [f32], stride: usize) -> Self {
        Self { values, stride }
    }

    /// The memory, from the first row's first value on.
    pub const fn values(&self) -> &'a [f32] {
        self.values
    }

    pub(crate) const fn map(&self, channels: usize) -> Map {
        Map::new([1, 1], channels, self.stride)
    }

    /// The row's own values.
    #[inline(always)]
    pub(crate) fn row(&self, row: usize, channels: usize) -> &'a [f32] {
        &self.values[row * self.map(channels).stride..][..channels]
    }
}

impl<'a> RowsMut<'a> {
    /// One behind the other: a map that stands alone.
    pub const fn dense(values: &'a mut [f32]) -> Self {
        Self { values, stride: 0 }
    }

    /// So many values apart: some of the channels of a wider map, from the first of them on. 0 is [`dense`](Self::dense).
    pub const fn strided(values: &'a mut [f32], stride: usize) -> Self {
        Self { values, stride }
    }

    pub(crate) const fn map(&self, channels: usize) -> Map {
        Map::new([1, 1], channels, self.stride)
    }
}

/// Makes the values of a map zero, but not those of others between them.
pub(crate) fn clear(map: Map, values: &mut [f32]) {
    if map.is_dense() {
        values.fill(0.0);
    } else {
        values.chunks_mut(map.stride).for_each(|cell| cell[..map.channels].fill(0.0));
    }
}

/// A function of two values at the same place.
pub(crate) trait Values: Sync {
    /// Values that take about as long as one that is only moved.
    const COST: usize = 1;
    fn value<S: Simd>(&self, simd: S, a: S::Vector, b: S::Vector) -> S::Vector;
}

/// What is done to a row of the target and the rows at the same place of `R` other maps.
pub(crate) trait Row<const R: usize>: Sync {
    /// Values that take about as long as one that is only moved.
    const COST: usize = 1;
    fn run<S: Simd>(&self, simd: S, target: &mut [f32], read: [&[f32]; R]);
}

/// Values of a piece of work.
const PIECE: usize = 1 << 15;

/// target (+)= function(a, b), on all threads. An operand that is `None` is what the target holds.
///
/// # Panics
/// If the maps have not all the same rows.
pub(crate) fn map<F: Values>(
    channels: usize,
    target: RowsMut<'_>,
    operands: [Option<Rows<'_>>; 2],
    write: Write,
    function: F,
) {
    map_then(channels, target, operands, write, function, None);
}

/// [`map`], and then another function of its results.
pub(crate) fn map_then<F: Values>(
    channels: usize,
    target: RowsMut<'_>,
    operands: [Option<Rows<'_>>; 2],
    write: Write,
    function: F,
    then: Option<&Then>,
) {
    let isa = isa::current();
    let cost = F::COST + then.map_or(0, |then| then.cost);
    cut(channels, cost, true, target, operands, &|piece| {
        isa.run(Mapping { piece, add: write == Write::Add, function: &function });
        if let Some(then) = then {
            // SAFETY: a piece's target is in memory, and exclusively ours.
            unsafe { then.apply(isa, [piece.rows, piece.channels], (piece.target, piece.target_step)) };
        }
    });
}

/// What a function made, grad -> the gradient of what it got, in the same place, on all threads.
///
/// # Panics
/// If equal results do not have equal slopes, or the maps have not all the same rows.
pub(crate) fn then_backward(channels: usize, then: &Then, output: Rows<'_>, grad: RowsMut<'_>) {
    assert!(then.function.slope_of_output(), "{:?} has different slopes where it has the same value", then.function);
    let isa = isa::current();
    cut(channels, then.cost, true, grad, [Some(output), None], &|piece| {
        let Piece { rows, channels, target, target_step, read: [output, grad], read_step: [step, grad_step] } = piece;
        let read = [(output, step), (grad, grad_step)];
        // SAFETY: a piece has these values of each row, and its target is exclusively ours.
        unsafe {
            (then.gradients)(then.function, isa, [rows, channels], From::Output, read, (target, target_step));
        };
    });
}

/// Writes a function of values at the same places into rows of columns.
///
/// # Safety
/// All are in memory, and nobody else uses those that are written, which may be those that are read.
pub(crate) unsafe fn map_here<F: Values>(
    isa: Isa,
    [rows, channels]: [usize; 2],
    [a, b]: [At<*const f32>; 2],
    (target, target_step): At<*mut f32>,
    function: &F,
) {
    let piece = Piece { rows, channels, target, target_step, read: [a.0, b.0], read_step: [a.1, b.1] };
    isa.run(Mapping { piece, add: false, function });
}

/// Does `row` for each row, on all threads.
///
/// # Panics
/// If the maps have not all the same rows.
pub(crate) fn for_each<B: Row<R>, const R: usize>(channels: usize, target: RowsMut<'_>, read: [Rows<'_>; R], row: &B) {
    const { assert!(R == 1 || R == 2) }
    let isa = isa::current();
    let maps = [Some(read[0]), if R == 2 { Some(read[1]) } else { None }];
    cut(channels, B::COST, false, target, maps, &|piece| isa.run(Each { piece, row }));
}

/// Some rows of all maps: where they start, and how many values apart they are.
#[derive(Clone, Copy)]
struct Piece {
    rows: usize,
    channels: usize,
    target: *mut f32,
    target_step: usize,
    read: [*const f32; 2],
    read_step: [usize; 2],
}

/// Calls `each` with pieces, in each of which all rows may be read and the target's written. Where `joined`, a piece of maps
/// that all stand alone is one row, whatever its length.
fn cut(
    channels: usize,
    cost: usize,
    joined: bool,
    target: RowsMut<'_>,
    read: [Option<Rows<'_>>; 2],
    each: &(dyn Fn(Piece) + Sync),
) {
    let target_map = target.map(channels);
    let rows = target_map.samples(target.values.len());
    let mut dense = joined && target_map.is_dense();
    let mut steps = [target_map.stride; 2];
    for (other, step) in read.iter().zip(&mut steps) {
        if let Some(other) = other {
            let map = other.map(channels);
            assert_eq!(map.samples(other.values.len()), rows, "all maps have the same rows");
            dense &= map.is_dense();
            *step = map.stride;
        }
    }
    let target = Target::new(target.values);
    // One row of a dense map is one value.
    let (rows, width) = if dense { (rows * channels, 1) } else { (rows, channels) };
    let piece = PIECE.div_ceil(cost * width);
    chunk::for_each(rows.div_ceil(piece), rows * width * cost, |index| {
        let (first, count) = (index * piece, piece.min(rows - index * piece));
        // Where the first row starts, and the values from there to the end of the last.
        let part = |step: usize| if dense { (first, count) } else { (first * step, (count - 1) * step + channels) };
        let (start, len) = part(target_map.stride);
        let to = target.pointer(start, len);
        let mut from = [to.cast_const(); 2];
        for operand in 0..2 {
            if let Some(other) = &read[operand] {
                let (start, len) = part(steps[operand]);
                from[operand] = other.values[start..start + len].as_ptr();
            }
        }
        let (rows, channels) = if dense { (1, count) } else { (count, channels) };
        each(Piece { rows, channels, target: to, target_step: target_map.stride, read: from, read_step: steps });
    });
}

struct Mapping<'a, F> {
    piece: Piece,
    add: bool,
    function: &'a F,
}

impl<F: Values> Kernel for Mapping<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Piece { rows, channels, target, target_step, read: [a, b], read_step: [a_step, b_step] } = self.piece;
        for row in 0..rows {
            for (start, count) in vectors::<S>(channels) {
                // SAFETY: a piece has these values of each row, and its target is exclusively ours; an operand that is the
                // target is read before that is written.
                unsafe {
                    let to = target.add(row * target_step + start);
                    let a = simd.load_some(a.add(row * a_step + start), count);
                    let b = simd.load_some(b.add(row * b_step + start), count);
                    let mut value = self.function.value(simd, a, b);
                    if self.add {
                        value = simd.add(value, simd.load_some(to, count));
                    }
                    simd.store_some(to, count, value);
                }
            }
        }
    }
}

struct Each<'a, B, const R: usize> {
    piece: Piece,
    row: &'a B,
}

impl<B: Row<R>, const R: usize> Kernel for Each<'_, B, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Piece { rows, channels, target, target_step, read, read_step } = self.piece;
        for row in 0..rows {
            let mut slices: [&[f32]; R] = [&[]; R];
            for operand in 0..R {
                // SAFETY: a piece has these values of each row.
                slices[operand] =
                    unsafe { core::slice::from_raw_parts(read[operand].add(row * read_step[operand]), channels) };
            }
            // SAFETY: as above; the target is exclusively ours, and another slice than those that are read.
            let target = unsafe { core::slice::from_raw_parts_mut(target.add(row * target_step), channels) };
            self.row.run(simd, target, slices);
        }
    }
}
