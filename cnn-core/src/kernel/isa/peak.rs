//! The most multiply-adds that one thread can do: what the benches hold kernels to.

use super::{Kernel, Simd};
use core::hint::black_box;

/// As many sums as a multiply-add takes cycles on the units that there are (four or five on two), and not more than any set
/// has registers.
const SUMS: usize = 12;

/// Does nothing but so many rounds of independent multiply-adds in registers; returns how many these were.
pub fn multiply_adds(rounds: usize) -> usize {
    super::current().run(Peak(rounds))
}

struct Peak(usize);

impl Kernel for Peak {
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> usize {
        let (a, b) = (simd.splat(black_box(0.5)), simd.splat(black_box(0.25)));
        let mut sums = [simd.splat(0.0); SUMS];
        for _ in 0..self.0 {
            for sum in &mut sums {
                *sum = simd.mul_add(a, *sum, b);
            }
        }
        black_box(sums);
        self.0 * SUMS * S::LANES
    }
}
