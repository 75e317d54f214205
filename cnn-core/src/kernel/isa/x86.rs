//! AVX-512 and AVX2 with FMA.

use super::{Isa, Kernel, Kind, LEAST_FACTOR, Simd};
use core::arch::x86_64::*;

/// Intrinsics are safe where their instructions exist.
macro_rules! have {
    ($call:expr) => {
        // SAFETY: `self` exists only where the processor has the instructions; pointers are the caller's promise.
        unsafe { $call }
    };
}

/// Proves that the processor has AVX-512F, AVX2 and FMA.
#[derive(Clone, Copy)]
pub(super) struct Avx512(());

impl Avx512 {
    pub(super) fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl");
        (found && Avx2::detect().is_some()).then_some(Self(()))
    }

    /// # Safety
    /// `detect` must have found the set.
    pub(super) unsafe fn new() -> Self {
        Self(())
    }

    #[inline(always)]
    fn first(self, count: usize) -> __mmask16 {
        ((1u32 << count) - 1) as __mmask16
    }
}

impl Simd for Avx512 {
    type Vector = __m512;
    type Mask = __mmask16;
    const LANES: usize = 16;
    const REGISTERS: usize = 32;
    const NAME: &'static str = "avx512";

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[inline(never)]
        #[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
        fn enabled<K: Kernel>(simd: Avx512, kernel: K) -> K::Output {
            kernel.run(simd)
        }
        have!(enabled(self, kernel))
    }

    #[inline(always)]
    fn isa(self) -> Isa {
        Isa(Kind::Avx512)
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        have!(_mm512_set1_ps(value))
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        have!(_mm512_add_ps(a, b))
    }

    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        have!(_mm512_sub_ps(a, b))
    }

    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        have!(_mm512_mul_ps(a, b))
    }

    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        have!(_mm512_div_ps(a, b))
    }

    #[inline(always)]
    fn sqrt(self, a: __m512) -> __m512 {
        have!(_mm512_sqrt_ps(a))
    }

    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        have!(_mm512_fmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn relu(self, a: __m512) -> __m512 {
        // The instruction returns its second operand when one is NaN.
        have!(_mm512_max_ps(_mm512_setzero_ps(), a))
    }

    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        have!(_mm512_max_ps(a, b))
    }

    #[inline(always)]
    fn cap(self, a: __m512, bound: __m512) -> __m512 {
        // The instruction returns its second operand when one is NaN.
        have!(_mm512_min_ps(bound, a))
    }

    #[inline(always)]
    fn raise(self, a: __m512, bound: __m512) -> __m512 {
        // The instruction returns its second operand when one is NaN.
        have!(_mm512_max_ps(bound, a))
    }

    #[inline(always)]
    fn power_of_two(self, a: __m512) -> __m512 {
        have!({
            let exponent = _mm512_add_epi32(_mm512_cvtps_epi32(a), _mm512_set1_epi32(127));
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(exponent))
        })
    }

    #[inline(always)]
    fn split(self, a: __m512) -> [__m512; 2] {
        have!({
            let bits = _mm512_castps_si512(a);
            let exponent = _mm512_srai_epi32::<23>(_mm512_sub_epi32(bits, _mm512_set1_epi32(LEAST_FACTOR)));
            let factor = _mm512_sub_epi32(bits, _mm512_slli_epi32::<23>(exponent));
            [_mm512_castsi512_ps(factor), _mm512_cvtepi32_ps(exponent)]
        })
    }

    #[inline(always)]
    fn less(self, a: __m512, b: __m512) -> __mmask16 {
        have!(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b))
    }

    #[inline(always)]
    fn any_nan(self, a: __m512) -> bool {
        have!(_mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, a)) != 0
    }

    #[inline(always)]
    fn beats(self, a: __m512, b: __m512) -> __mmask16 {
        have!(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b) | _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, a))
    }

    #[inline(always)]
    fn equal(self, a: __m512, b: __m512) -> __mmask16 {
        have!(_mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b))
    }

    #[inline(always)]
    fn select(self, mask: __mmask16, yes: __m512, no: __m512) -> __m512 {
        have!(_mm512_mask_blend_ps(mask, no, yes))
    }

    #[inline(always)]
    fn sum(self, a: __m512) -> f32 {
        have!(_mm512_reduce_add_ps(a))
    }

    #[inline(always)]
    fn prefetch(self, place: *const f32) {
        // SAFETY: a hint about any address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast()) };
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> __m512 {
        have!(_mm512_loadu_ps(from))
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, vector: __m512) {
        have!(_mm512_storeu_ps(to, vector))
    }

    #[inline(always)]
    unsafe fn load_first(self, from: *const f32, count: usize) -> __m512 {
        have!(_mm512_maskz_loadu_ps(self.first(count), from))
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize, vector: __m512) {
        have!(_mm512_mask_storeu_ps(to, self.first(count), vector))
    }

    // A mask costs nothing here.

    #[inline(always)]
    unsafe fn load_some(self, from: *const f32, count: usize) -> __m512 {
        // SAFETY: the caller's promise.
        unsafe { self.load_first(from, count) }
    }

    #[inline(always)]
    unsafe fn store_some(self, to: *mut f32, count: usize, vector: __m512) {
        // SAFETY: the caller's promise.
        unsafe { self.store_first(to, count, vector) }
    }
}

/// Proves that the processor has AVX2 and FMA.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    pub(super) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }

    /// # Safety
    /// `detect` must have found the set.
    pub(super) unsafe fn new() -> Self {
        Self(())
    }

    /// Set in the first `count` lanes.
    #[inline(always)]
    fn first(self, count: usize) -> __m256i {
        /// Eight set lanes and eight clear ones: a window of eight that starts `count` before the border is the mask.
        static LANES: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
        debug_assert!(count <= 8);
        have!(_mm256_loadu_si256(LANES.as_ptr().add(8 - count).cast()))
    }
}

impl Simd for Avx2 {
    type Vector = __m256;
    type Mask = __m256;
    const LANES: usize = 8;
    const REGISTERS: usize = 16;
    const NAME: &'static str = "avx2";

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[inline(never)]
        #[target_feature(enable = "avx2,fma")]
        fn enabled<K: Kernel>(simd: Avx2, kernel: K) -> K::Output {
            kernel.run(simd)
        }
        have!(enabled(self, kernel))
    }

    #[inline(always)]
    fn isa(self) -> Isa {
        Isa(Kind::Avx2)
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m256 {
        have!(_mm256_set1_ps(value))
    }

    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        have!(_mm256_add_ps(a, b))
    }

    #[inline(always)]
    fn sub(self, a: __m256, b: __m256) -> __m256 {
        have!(_mm256_sub_ps(a, b))
    }

    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        have!(_mm256_mul_ps(a, b))
    }

    #[inline(always)]
    fn div(self, a: __m256, b: __m256) -> __m256 {
        have!(_mm256_div_ps(a, b))
    }

    #[inline(always)]
    fn sqrt(self, a: __m256) -> __m256 {
        have!(_mm256_sqrt_ps(a))
    }

    #[inline(always)]
    fn mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        have!(_mm256_fmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn relu(self, a: __m256) -> __m256 {
        // The instruction returns its second operand when one is NaN.
        have!(_mm256_max_ps(_mm256_setzero_ps(), a))
    }

    #[inline(always)]
    fn max(self, a: __m256, b: __m256) -> __m256 {
        have!(_mm256_max_ps(a, b))
    }

    #[inline(always)]
    fn cap(self, a: __m256, bound: __m256) -> __m256 {
        // The instruction returns its second operand when one is NaN.
        have!(_mm256_min_ps(bound, a))
    }

    #[inline(always)]
    fn raise(self, a: __m256, bound: __m256) -> __m256 {
        // The instruction returns its second operand when one is NaN.
        have!(_mm256_max_ps(bound, a))
    }

    #[inline(always)]
    fn power_of_two(self, a: __m256) -> __m256 {
        have!({
            let exponent = _mm256_add_epi32(_mm256_cvtps_epi32(a), _mm256_set1_epi32(127));
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent))
        })
    }

    #[inline(always)]
    fn split(self, a: __m256) -> [__m256; 2] {
        have!({
            let bits = _mm256_castps_si256(a);
            let exponent = _mm256_srai_epi32::<23>(_mm256_sub_epi32(bits, _mm256_set1_epi32(LEAST_FACTOR)));
            let factor = _mm256_sub_epi32(bits, _mm256_slli_epi32::<23>(exponent));
            [_mm256_castsi256_ps(factor), _mm256_cvtepi32_ps(exponent)]
        })
    }

    #[inline(always)]
    fn less(self, a: __m256, b: __m256) -> __m256 {
        have!(_mm256_cmp_ps::<_CMP_LT_OQ>(a, b))
    }

    #[inline(always)]
    fn any_nan(self, a: __m256) -> bool {
        have!(_mm256_movemask_ps(_mm256_cmp_ps::<_CMP_UNORD_Q>(a, a))) != 0
    }

    #[inline(always)]
    fn beats(self, a: __m256, b: __m256) -> __m256 {
        have!(_mm256_or_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(a, b), _mm256_cmp_ps::<_CMP_UNORD_Q>(a, a)))
    }

    #[inline(always)]
    fn equal(self, a: __m256, b: __m256) -> __m256 {
        have!(_mm256_cmp_ps::<_CMP_EQ_OQ>(a, b))
    }

    #[inline(always)]
    fn select(self, mask: __m256, yes: __m256, no: __m256) -> __m256 {
        have!(_mm256_blendv_ps(no, yes, mask))
    }

    #[inline(always)]
    fn sum(self, a: __m256) -> f32 {
        have!({
            let four = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        })
    }

    #[inline(always)]
    fn prefetch(self, place: *const f32) {
        // SAFETY: a hint about any address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast()) };
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> __m256 {
        have!(_mm256_loadu_ps(from))
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, vector: __m256) {
        have!(_mm256_storeu_ps(to, vector))
    }

    #[inline(always)]
    unsafe fn load_first(self, from: *const f32, count: usize) -> __m256 {
        have!(_mm256_maskload_ps(from, self.first(count)))
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize, vector: __m256) {
        have!(_mm256_maskstore_ps(to, self.first(count), vector))
    }

    // A mask costs little here; storing through one costs much on some processors.

    #[inline(always)]
    unsafe fn load_some(self, from: *const f32, count: usize) -> __m256 {
        // SAFETY: the caller's promise.
        unsafe { self.load_first(from, count) }
    }
}
