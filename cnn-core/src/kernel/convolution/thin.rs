//! A few rows times a large weight, such as a linear layer's of one sample: the weight is read once, in the order in which it
//! lies, as fast as memory gives it. Each sum has the bits that the register tile would give it.

use crate::kernel::isa::{Isa, Kernel, Simd, vectors};
use crate::kernel::memory::chunk::{self, Target};
use crate::kernel::tile::Finish;

/// Rows at most.
pub(super) const ROWS: usize = 14;
/// Columns of a task: its sums stay in the first-level cache.
const COLUMNS: usize = 256;
/// Steps of the depth that are summed before the sums are stored.
const STEPS: usize = 8;

/// `c[m][n] = finish(sum over k of a[m][k] * weight[k][n] + bias[n])`.
pub(super) struct Thin<'a> {
    /// `[rows]`, so many values apart.
    pub(super) a: &'a [f32],
    pub(super) a_step: usize,
    pub(super) rows: usize,
    pub(super) depth: usize,
    /// `[depth, columns]`
    pub(super) weight: &'a [f32],
    pub(super) columns: usize,
    /// Empty, or `[columns]`.
    pub(super) bias: &'a [f32],
    /// `[rows]`, so many values apart.
    pub(super) c: Target,
    pub(super) c_step: usize,
    pub(super) finish: Finish,
}

impl Thin<'_> {
    pub(super) fn run(&self, isa: Isa) {
        let Self { rows, depth, columns, .. } = *self;
        assert!(rows <= ROWS && self.weight.len() == depth * columns);
        assert!(self.bias.is_empty() || self.bias.len() == columns);
        assert!(rows == 0 || (rows - 1) * self.a_step + depth <= self.a.len());
        // Reading a value of the weight takes longer than multiplying it.
        let work = (2 * depth * columns).saturating_mul(rows);
        chunk::for_each(columns.div_ceil(COLUMNS), work, |index| isa.run(Task { thin: self, first: index * COLUMNS }));
    }
}

struct Task<'a> {
    thin: &'a Thin<'a>,
    first: usize,
}

impl Kernel for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { thin, first } = self;
        let Thin { rows, depth, columns, .. } = *thin;
        let count = COLUMNS.min(columns - first);
        let mut sums = [[0.0; COLUMNS]; ROWS];
        let whole = depth / STEPS * STEPS;
        // SAFETY: rows, depth and columns lie in their slices, as `run` has checked; and these columns are this task's.
        unsafe {
            for k in (0..whole).step_by(STEPS) {
                add::<S, STEPS>(simd, thin, k, first, count, &mut sums);
            }
            for k in whole..depth {
                add::<S, 1>(simd, thin, k, first, count, &mut sums);
            }
            for (row, sums) in sums[..rows].iter().enumerate() {
                let c = thin.c.pointer(row * thin.c_step + first, count);
                for (start, count) in vectors::<S>(count) {
                    let mut sum = [simd.load(sums.as_ptr().add(start))];
                    if !thin.bias.is_empty() {
                        sum[0] = simd.add(sum[0], simd.load_some(thin.bias.as_ptr().add(first + start), count));
                    }
                    if thin.finish.add {
                        sum[0] = simd.add(sum[0], simd.load_some(c.add(start), count));
                    }
                    thin.finish.fused.apply(simd, &mut sum);
                    simd.store_some(c.add(start), count, sum[0]);
                }
                thin.finish.apply(simd, c, [1; 3], [0; 3], count);
            }
        }
    }
}

/// Adds the products of some steps of the depth to the sums of `count` columns.
///
/// # Safety
/// All rows have the steps `k..k + STEPS`, and the weight the columns `first..first + count`.
#[inline(always)]
unsafe fn add<S: Simd, const STEPS: usize>(
    simd: S,
    thin: &Thin<'_>,
    k: usize,
    first: usize,
    count: usize,
    sums: &mut [[f32; COLUMNS]; ROWS],
) {
    let weight = thin.weight.as_ptr().wrapping_add(k * thin.columns + first);
    for (row, sums) in sums[..thin.rows].iter_mut().enumerate() {
        // SAFETY: the caller's promise; a vector of sums lies in them, as their number is a multiple of all lanes.
        unsafe {
            let a = thin.a.as_ptr().add(row * thin.a_step + k);
            let values: [S::Vector; STEPS] = core::array::from_fn(
                #[inline(always)]
                |step| simd.splat(*a.add(step)),
            );
            for (start, count) in vectors::<S>(count) {
                let mut sum = simd.load(sums.as_ptr().add(start));
                for (step, value) in values.iter().enumerate() {
                    let place = weight.wrapping_add(step * thin.columns + start);
                    // The next steps: rows are too far apart to be guessed.
                    simd.prefetch(place.wrapping_add(STEPS * thin.columns));
                    sum = simd.mul_add(*value, simd.load_some(place, count), sum);
                }
                simd.store(sums.as_mut_ptr().add(start), sum);
            }
        }
    }
}
