//! The sum of an expression over all values, and the gradient of one operand, in one loop: what a loss is that is written as one.

use core::marker::PhantomData;
use core::ops::Range;

use super::{Expression, Extent, View, ViewMut};
use crate::kernel::geometry::ExpressionGeometry;
use crate::kernel::isa::{self, Isa, Kernel, Simd};
use crate::kernel::memory::chunk::{self, Target};
use crate::kernel::pointwise::math;
use crate::kernel::pointwise::number::Lanes;

/// Values that one thread takes at a time. Miri has patience for small maps only.
const PIECE: usize = if cfg!(miri) { 1 << 4 } else { 1 << 14 };
/// Vectors that are added up before their sum is added to that of the others in `f64`.
const BLOCK: usize = 32;

/// operands -> the sum of the values of all samples, and grad: the gradient of the operand `by`, which is whole, where that of
/// each value is `scale`.
///
/// # Panics
/// If they are not of equally many samples, or `by` is not whole.
pub fn sum<E: Expression<N>, const N: usize>(
    geometry: &ExpressionGeometry<N>,
    operands: [&[f32]; N],
    by: usize,
    scale: f32,
    grad: &mut [f32],
) -> f64 {
    let map = geometry.map(by);
    assert!(geometry.operands[by].is_whole() && map.is_dense(), "the gradient is that of a map of the output's size");
    let samples = super::samples(geometry, map, grad.len());
    super::check(geometry, samples, operands);
    let extent = Extent::of(geometry, samples, &[map], &core::array::from_fn(|operand| geometry.map(operand)));
    let target = Target::new(grad);
    let of = Of::<E, N> {
        operands: core::array::from_fn(|operand| View::of(geometry, operand, &extent, operands[operand].as_ptr())),
        target: ViewMut::of(map, &extent, target.pointer(0, 0)),
        extent,
        by,
        scale,
        expression: PhantomData,
    };
    of.rows(isa::current(), of.extent.rows.clone())
}

struct Of<E, const N: usize> {
    extent: Extent,
    operands: [View; N],
    target: ViewMut,
    by: usize,
    scale: f32,
    expression: PhantomData<E>,
}

// SAFETY: operands are only read, and pieces write to rows that are theirs alone.
unsafe impl<E, const N: usize> Sync for Of<E, N> {}

impl<E: Expression<N>, const N: usize> Of<E, N> {
    /// Those of some rows. Where they are cut depends on their number alone.
    fn rows(&self, isa: Isa, rows: Range<usize>) -> f64 {
        let piece = PIECE.div_ceil(self.extent.width.max(1));
        if rows.len() <= piece {
            return isa.run(Piece { of: self, rows });
        }
        let middle = rows.start + (rows.len() / 2).next_multiple_of(piece);
        let (first, second) = chunk::join(|| self.rows(isa, rows.start..middle), || self.rows(isa, middle..rows.end));
        first + second
    }

    /// The values of some places of a row, as many as a vector has or fewer, of which it writes the gradients.
    ///
    /// # Safety
    /// The row lies in all maps, and is exclusively ours in the target.
    #[inline(always)]
    unsafe fn vector<S: Simd>(
        &self,
        simd: S,
        from: &[*const f32; N],
        to: *mut f32,
        [start, count]: [usize; 2],
    ) -> S::Vector {
        // SAFETY: the caller's promise.
        unsafe {
            let arguments = core::array::from_fn(|operand| Lanes {
                simd,
                values: self.operands[operand].load(simd, from[operand], start, count),
            });
            let value = E::value(arguments);
            let scale = Lanes { simd, values: simd.splat(self.scale) };
            simd.store_some(to.add(start), count, E::gradients(arguments, value, scale)[self.by].values);
            value.values
        }
    }
}

struct Piece<'a, E, const N: usize> {
    of: &'a Of<E, N>,
    rows: Range<usize>,
}

impl<E: Expression<N>, const N: usize> Kernel for Piece<'_, E, N> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        let of = self.of;
        let Of { extent, operands, target, .. } = of;
        let (cells, rows, width) = extent.only(self.rows).long_rows();
        let mut total = 0.0_f64;
        for row in rows {
            let from = operands.map(|operand| operand.row(row, cells));
            let to = target.row(row, cells);
            for first in (0..width).step_by(BLOCK * S::LANES) {
                let mut sum = simd.splat(0.0);
                let end = width.min(first + BLOCK * S::LANES);
                let whole = end - (end - first) % S::LANES;
                // SAFETY: the row lies in all maps, whose lengths were checked, and is exclusively ours in the target.
                unsafe {
                    for start in (first..whole).step_by(S::LANES) {
                        sum = simd.add(sum, of.vector(simd, &from, to, [start, S::LANES]));
                    }
                    if whole < end {
                        // What lies behind the last value is none.
                        let value = of.vector(simd, &from, to, [whole, end - whole]);
                        total += f64::from(math::sum_of(simd, value, end - whole));
                    }
                }
                total += f64::from(math::sum(simd, sum));
            }
        }
        total
    }
}
