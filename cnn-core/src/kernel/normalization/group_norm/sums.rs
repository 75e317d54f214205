//! Sums along values that lie one behind the other and have one mean.

use crate::kernel::isa::{MAX_LANES, Simd};

/// Terms of a sum in f32, before it is added to one in f64.
pub(super) const TERMS: usize = 128;

/// What is added up: `N` sums of values at the same place.
pub(super) trait Terms<const N: usize> {
    /// Adds the terms of a vector: where it starts, and how many values it has. Those behind the last count as nothing.
    ///
    /// # Safety
    /// The values are in memory.
    unsafe fn add<S: Simd>(&self, simd: S, start: usize, count: usize, sums: &mut [S::Vector; N]);
}

/// The sums over `len` values, `WAYS` side by side: additions take four cycles.
///
/// # Safety
/// The values are in memory.
#[inline(always)]
pub(super) unsafe fn add_up<S: Simd, const N: usize, const WAYS: usize>(
    simd: S,
    len: usize,
    terms: &impl Terms<N>,
) -> [f64; N] {
    let mut total = [0.0; N];
    for block in (0..len).step_by(TERMS * WAYS * S::LANES) {
        let end = len.min(block + TERMS * WAYS * S::LANES);
        let mut sums = [[simd.splat(0.0); N]; WAYS];
        let mut start = block;
        // SAFETY: the caller's promise.
        unsafe {
            while start + WAYS * S::LANES <= end {
                for (way, sums) in sums.iter_mut().enumerate() {
                    terms.add(simd, start + way * S::LANES, S::LANES, sums);
                }
                start += WAYS * S::LANES;
            }
            while start + S::LANES <= end {
                terms.add(simd, start, S::LANES, &mut sums[0]);
                start += S::LANES;
            }
            if start < end {
                terms.add(simd, start, end - start, &mut sums[WAYS - 1]);
            }
        }
        let (mut sum, others) = (sums[0], &sums[1..]);
        for other in others {
            for (sum, other) in sum.iter_mut().zip(other) {
                *sum = simd.add(*sum, *other);
            }
        }
        total.iter_mut().zip(sum).for_each(|(total, sum)| *total += f64::from(simd.sum(sum)));
    }
    total
}

/// The values themselves.
pub(super) struct Values(pub(super) *const f32);

impl Terms<1> for Values {
    /// # Safety
    /// As the trait says.
    #[inline(always)]
    unsafe fn add<S: Simd>(&self, simd: S, start: usize, count: usize, [sum]: &mut [S::Vector; 1]) {
        // SAFETY: the caller's promise.
        *sum = simd.add(*sum, unsafe { simd.load_some(self.0.add(start), count) });
    }
}

/// Distances to a mean, and their squares.
#[derive(Clone, Copy)]
pub(super) struct Distances {
    pub(super) from: *const f32,
    pub(super) mean: f32,
}

impl Distances {
    /// # Safety
    /// The values are in memory.
    #[inline(always)]
    unsafe fn load<S: Simd>(&self, simd: S, start: usize, count: usize) -> S::Vector {
        // SAFETY: the caller's promise; no vector has more lanes. Those behind the end are zeros, as is their mean.
        unsafe {
            let mean = if count == S::LANES {
                simd.splat(self.mean)
            } else {
                simd.load_first([self.mean; MAX_LANES].as_ptr(), count)
            };
            simd.sub(simd.load_some(self.from.add(start), count), mean)
        }
    }
}

impl Terms<2> for Distances {
    /// # Safety
    /// As the trait says.
    #[inline(always)]
    unsafe fn add<S: Simd>(&self, simd: S, start: usize, count: usize, [sum, squares]: &mut [S::Vector; 2]) {
        // SAFETY: the caller's promise.
        let distance = unsafe { self.load(simd, start, count) };
        *sum = simd.add(*sum, distance);
        *squares = simd.mul_add(distance, distance, *squares);
    }
}

/// [`Distances`], and gradients times their weights, and these times the distances.
pub(super) struct Products {
    pub(super) of: Distances,
    pub(super) grad: *const f32,
    pub(super) weight: Option<*const f32>,
}

impl Terms<4> for Products {
    /// # Safety
    /// As the trait says.
    #[inline(always)]
    unsafe fn add<S: Simd>(&self, simd: S, start: usize, count: usize, sums: &mut [S::Vector; 4]) {
        let [sum, squares, grads, products] = sums;
        // SAFETY: the caller's promise.
        unsafe {
            let distance = self.of.load(simd, start, count);
            let mut grad = simd.load_some(self.grad.add(start), count);
            if let Some(weight) = self.weight {
                grad = simd.mul(grad, simd.load_some(weight.add(start), count));
            }
            *sum = simd.add(*sum, distance);
            *squares = simd.mul_add(distance, distance, *squares);
            *grads = simd.add(*grads, grad);
            *products = simd.mul_add(grad, distance, *products);
        }
    }
}
