//! NEON on AArch64.

use super::{Isa, Kernel, Kind, LEAST_FACTOR, Simd};
use core::arch::aarch64::*;

/// Intrinsics are safe where their instructions exist.
macro_rules! have {
    ($call:expr) => {
        // SAFETY: `self` exists only where the processor has the instructions; pointers are the caller's promise.
        unsafe { $call }
    };
}

/// Proves that the processor has NEON.
#[derive(Clone, Copy)]
pub(super) struct Neon(());

impl Neon {
    pub(super) fn detect() -> Option<Self> {
        std::arch::is_aarch64_feature_detected!("neon").then_some(Self(()))
    }

    /// # Safety
    /// `detect` must have found the set.
    pub(super) unsafe fn new() -> Self {
        Self(())
    }
}

impl Simd for Neon {
    type Vector = float32x4_t;
    type Mask = uint32x4_t;
    const LANES: usize = 4;
    const REGISTERS: usize = 32;
    const NAME: &'static str = "neon";

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[inline(never)]
        #[target_feature(enable = "neon")]
        fn enabled<K: Kernel>(simd: Neon, kernel: K) -> K::Output {
            kernel.run(simd)
        }
        have!(enabled(self, kernel))
    }

    #[inline(always)]
    fn isa(self) -> Isa {
        Isa(Kind::Neon)
    }

    #[inline(always)]
    fn splat(self, value: f32) -> float32x4_t {
        have!(vdupq_n_f32(value))
    }

    #[inline(always)]
    fn add(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        have!(vaddq_f32(a, b))
    }

    #[inline(always)]
    fn sub(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        have!(vsubq_f32(a, b))
    }

    #[inline(always)]
    fn mul(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        have!(vmulq_f32(a, b))
    }

    #[inline(always)]
    fn div(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        have!(vdivq_f32(a, b))
    }

    #[inline(always)]
    fn sqrt(self, a: float32x4_t) -> float32x4_t {
        have!(vsqrtq_f32(a))
    }

    #[inline(always)]
    fn mul_add(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        have!(vfmaq_f32(c, a, b))
    }

    #[inline(always)]
    fn relu(self, a: float32x4_t) -> float32x4_t {
        have!(vmaxq_f32(a, vdupq_n_f32(0.0)))
    }

    #[inline(always)]
    fn max(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        have!(vmaxq_f32(a, b))
    }

    #[inline(always)]
    fn cap(self, a: float32x4_t, bound: float32x4_t) -> float32x4_t {
        have!(vminq_f32(bound, a))
    }

    #[inline(always)]
    fn raise(self, a: float32x4_t, bound: float32x4_t) -> float32x4_t {
        have!(vmaxq_f32(bound, a))
    }

    #[inline(always)]
    fn power_of_two(self, a: float32x4_t) -> float32x4_t {
        have!({
            let exponent = vaddq_s32(vcvtnq_s32_f32(a), vdupq_n_s32(127));
            vreinterpretq_f32_s32(vshlq_n_s32::<23>(exponent))
        })
    }

    #[inline(always)]
    fn split(self, a: float32x4_t) -> [float32x4_t; 2] {
        have!({
            let bits = vreinterpretq_s32_f32(a);
            let exponent = vshrq_n_s32::<23>(vsubq_s32(bits, vdupq_n_s32(LEAST_FACTOR)));
            let factor = vsubq_s32(bits, vshlq_n_s32::<23>(exponent));
            [vreinterpretq_f32_s32(factor), vcvtq_f32_s32(exponent)]
        })
    }

    #[inline(always)]
    fn less(self, a: float32x4_t, b: float32x4_t) -> uint32x4_t {
        have!(vcltq_f32(a, b))
    }

    #[inline(always)]
    fn any_nan(self, a: float32x4_t) -> bool {
        have!(vminvq_u32(vceqq_f32(a, a))) == 0
    }

    #[inline(always)]
    fn beats(self, a: float32x4_t, b: float32x4_t) -> uint32x4_t {
        have!(vorrq_u32(vcgtq_f32(a, b), vmvnq_u32(vceqq_f32(a, a))))
    }

    #[inline(always)]
    fn equal(self, a: float32x4_t, b: float32x4_t) -> uint32x4_t {
        have!(vceqq_f32(a, b))
    }

    #[inline(always)]
    fn select(self, mask: uint32x4_t, yes: float32x4_t, no: float32x4_t) -> float32x4_t {
        have!(vbslq_f32(mask, yes, no))
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> float32x4_t {
        have!(vld1q_f32(from))
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, vector: float32x4_t) {
        have!(vst1q_f32(to, vector))
    }

    #[inline(always)]
    unsafe fn load_first(self, from: *const f32, count: usize) -> float32x4_t {
        let mut values = [0.0; 4];
        for (lane, value) in values.iter_mut().enumerate().take(count) {
            *value = have!(*from.add(lane));
        }
        have!(vld1q_f32(values.as_ptr()))
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize, vector: float32x4_t) {
        let mut values = [0.0; 4];
        have!(vst1q_f32(values.as_mut_ptr(), vector));
        for (lane, value) in values.into_iter().enumerate().take(count) {
            have!(*to.add(lane) = value);
        }
    }
}
