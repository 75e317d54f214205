//! Whether values are numbers: where a kernel multiplies more than it is asked to, by zeros, it must not meet infinity or NaN.

use crate::kernel::isa::{Kernel, Simd, vectors};

/// Rows of `width` values, `step` apart.
pub(crate) struct AreFinite<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) rows: usize,
    pub(crate) width: usize,
    pub(crate) step: usize,
}

impl Kernel for AreFinite<'_> {
    type Output = bool;

    /// Zero times a number is zero, and the sum stays zero; zero times anything else is NaN, and so is the sum.
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> bool {
        /// Sums side by side: an addition takes about as many cycles.
        const SIDE: usize = 4;
        let zero = simd.splat(0.0);
        let mut sums = [zero; SIDE];
        for row in 0..self.rows {
            let row = &self.values[row * self.step..][..self.width];
            let blocks = row.chunks_exact(SIDE * S::LANES);
            let rest = blocks.remainder();
            for block in blocks {
                for (v, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: a block has as many vectors.
                    *sum = simd.mul_add(unsafe { simd.load(block.as_ptr().add(v * S::LANES)) }, zero, *sum);
                }
            }
            for (start, count) in vectors::<S>(rest.len()) {
                // SAFETY: `rest` has `count` values there.
                sums[0] = simd.mul_add(unsafe { simd.load_some(rest.as_ptr().add(start), count) }, zero, sums[0]);
            }
        }
        let [a, b, c, d] = sums;
        !simd.any_nan(simd.add(simd.add(a, b), simd.add(c, d)))
    }
}
