//! Vectors of four f32 as plain arrays, for any processor: the compiler finds the instructions of its baseline.

use super::{Isa, Kernel, Kind, LEAST_FACTOR, Simd};

/// Proves nothing, because it needs nothing.
#[derive(Clone, Copy)]
pub(super) struct Portable;

const LANES: usize = 4;

/// An array of what the expression is in each lane. `core::array::from_fn` is the same, and takes the compiler longer than
/// all the rest of a kernel.
macro_rules! lanes {
    (|$lane:ident| $value:expr) => {
        [lanes!(@ 0, $lane, $value), lanes!(@ 1, $lane, $value), lanes!(@ 2, $lane, $value), lanes!(@ 3, $lane, $value)]
    };
    (@ $number:literal, $lane:ident, $value:expr) => {{
        let $lane: usize = $number;
        $value
    }};
}

impl Simd for Portable {
    type Vector = [f32; LANES];
    type Mask = [bool; LANES];
    const LANES: usize = LANES;
    const REGISTERS: usize = 0;
    const NAME: &'static str = "portable";

    #[inline(never)]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    #[inline(always)]
    fn isa(self) -> Isa {
        Isa(Kind::Portable)
    }

    #[inline(always)]
    fn splat(self, value: f32) -> Self::Vector {
        [value; LANES]
    }

    #[inline(always)]
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        lanes!(|lane| a[lane] + b[lane])
    }

    #[inline(always)]
    fn sub(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        lanes!(|lane| a[lane] - b[lane])
    }

    #[inline(always)]
    fn mul(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        lanes!(|lane| a[lane] * b[lane])
    }

    #[inline(always)]
    fn div(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        lanes!(|lane| a[lane] / b[lane])
    }

    #[inline(always)]
    fn sqrt(self, a: Self::Vector) -> Self::Vector {
        lanes!(|lane| a[lane].sqrt())
    }

    #[inline(always)]
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector {
        // Not `f32::mul_add`, which is a function call where the processor has no such instruction.
        lanes!(|lane| a[lane] * b[lane] + c[lane])
    }

    #[inline(always)]
    fn relu(self, a: Self::Vector) -> Self::Vector {
        lanes!(|lane| if a[lane] < 0.0 { 0.0 } else { a[lane] })
    }

    #[inline(always)]
    fn max(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        lanes!(|lane| if a[lane] > b[lane] { a[lane] } else { b[lane] })
    }

    #[inline(always)]
    fn cap(self, a: Self::Vector, bound: Self::Vector) -> Self::Vector {
        lanes!(|lane| if bound[lane] < a[lane] { bound[lane] } else { a[lane] })
    }

    #[inline(always)]
    fn raise(self, a: Self::Vector, bound: Self::Vector) -> Self::Vector {
        lanes!(|lane| if bound[lane] > a[lane] { bound[lane] } else { a[lane] })
    }

    #[inline(always)]
    fn power_of_two(self, a: Self::Vector) -> Self::Vector {
        // A cast would check that the number fits an integer. A sum with this one has it in its last bits.
        const LAST_BIT_IS_ONE: f32 = 1.5 * (1 << 23) as f32;
        lanes!(|lane| f32::from_bits((a[lane] + (LAST_BIT_IS_ONE + 127.0)).to_bits() << 23))
    }

    #[inline(always)]
    fn split(self, a: Self::Vector) -> [Self::Vector; 2] {
        let exponent = |value: f32| value.to_bits().cast_signed().wrapping_sub(LEAST_FACTOR) >> 23;
        let factor = |value: f32| value.to_bits().wrapping_sub(exponent(value).cast_unsigned() << 23);
        [lanes!(|lane| f32::from_bits(factor(a[lane]))), lanes!(|lane| exponent(a[lane]) as f32)]
    }

    #[inline(always)]
    fn less(self, a: Self::Vector, b: Self::Vector) -> Self::Mask {
        lanes!(|lane| a[lane] < b[lane])
    }

    #[inline(always)]
    fn any_nan(self, a: Self::Vector) -> bool {
        a.iter().any(|value| value.is_nan())
    }

    #[inline(always)]
    fn beats(self, a: Self::Vector, b: Self::Vector) -> Self::Mask {
        lanes!(|lane| a[lane] > b[lane] || a[lane].is_nan())
    }

    #[inline(always)]
    fn equal(self, a: Self::Vector, b: Self::Vector) -> Self::Mask {
        lanes!(|lane| a[lane] == b[lane])
    }

    #[inline(always)]
    fn select(self, mask: Self::Mask, yes: Self::Vector, no: Self::Vector) -> Self::Vector {
        lanes!(|lane| if mask[lane] { yes[lane] } else { no[lane] })
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> Self::Vector {
        // SAFETY: the caller's promise; an array of f32 has the alignment of f32.
        unsafe { from.cast::<Self::Vector>().read() }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, vector: Self::Vector) {
        // SAFETY: the caller's promise; an array of f32 has the alignment of f32.
        unsafe { to.cast::<Self::Vector>().write(vector) }
    }

    #[inline(always)]
    unsafe fn load_first(self, from: *const f32, count: usize) -> Self::Vector {
        let mut vector = [0.0; LANES];
        // SAFETY: only the first `count` values are read, which the caller promises.
        unsafe { from.copy_to_nonoverlapping(vector.as_mut_ptr(), count) };
        vector
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize, vector: Self::Vector) {
        // SAFETY: the caller promises `count` values.
        unsafe { to.copy_from_nonoverlapping(vector.as_ptr(), count) };
    }
}
