//! What expressions are made of: numbers, or vectors of them, with the functions that `map(|x| ..)` offers. An expression is
//! written once, and is the loop of every instruction set and its own reference in f64.

use core::ops::{Add, Div, Mul, Neg, Sub};

use super::math;
use crate::kernel::isa::Simd;

/// A number in an expression. NaN stays NaN. In f32 all functions are right within two units in the last place; `sigmoid` within
/// two and a half, and powers as they say. What `map` divides by a constant it multiplies by its inverse.
pub trait Number:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + sealed::Sealed
{
    /// A constant as what this number is.
    fn like(self, constant: f64) -> Self;
    /// `e` to the power of it.
    fn exp(self) -> Self;
    /// [`exp`](Self::exp) less 1, exact near zero.
    fn exp_m1(self) -> Self;
    /// The natural logarithm.
    fn ln(self) -> Self;
    /// The natural logarithm of 1 more than it, exact near zero.
    fn ln_1p(self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// Its size.
    fn abs(self) -> Self;
    /// 1 above zero, -1 below, 0 at zero and, as in PyTorch, at NaN.
    fn sign(self) -> Self;
    /// `max(x, 0)`.
    fn relu(self) -> Self;
    /// The hyperbolic tangent.
    fn tanh(self) -> Self;
    /// `1 / (1 + exp(-x))`.
    fn sigmoid(self) -> Self;
    /// `ln(1 + exp(x))`.
    fn softplus(self) -> Self;
    /// The error function.
    fn erf(self) -> Self;
    /// It to the power of a number: whole ones up to 64 are products, with an error of up to as many units in the last place; of
    /// others that are no half it is up to `2 + 2 |exponent ln x|` units.
    fn pow(self, exponent: f64) -> Self;
    /// The smaller of two, NaN if one is.
    fn min(self, other: Self) -> Self;
    /// The larger of two, NaN if one is.
    fn max(self, other: Self) -> Self;
    /// `yes` where it is less than the other, `no` elsewhere, also at NaN.
    fn if_less(self, other: Self, yes: Self, no: Self) -> Self;
    /// `yes` where it equals the other, `no` elsewhere, also at NaN.
    fn if_equal(self, other: Self, yes: Self, no: Self) -> Self;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f64 {}
    impl<S: super::Simd> Sealed for super::Lanes<S> {}
}

/// A vector with its instruction set.
#[derive(Clone, Copy)]
pub(crate) struct Lanes<S: Simd> {
    pub(crate) simd: S,
    pub(crate) values: S::Vector,
}

impl<S: Simd> Lanes<S> {
    #[inline(always)]
    fn of(self, values: S::Vector) -> Self {
        Self { values, ..self }
    }
}

macro_rules! operator {
    ($($operator:ident $function:ident),*) => {
        $(impl<S: Simd> $operator for Lanes<S> {
            type Output = Self;
            #[inline(always)]
            fn $function(self, other: Self) -> Self {
                self.of(self.simd.$function(self.values, other.values))
            }
        })*
    };
}

operator!(Add add, Sub sub, Mul mul, Div div);

impl<S: Simd> Neg for Lanes<S> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.of(self.simd.mul(self.values, self.simd.splat(-1.0)))
    }
}

macro_rules! functions {
    ($($function:ident),*) => {
        $(#[inline(always)]
        fn $function(self) -> Self {
            self.of(math::$function(self.simd, self.values))
        })*
    };
}

impl<S: Simd> Number for Lanes<S> {
    functions!(exp, exp_m1, ln, ln_1p, tanh, softplus, erf);

    #[inline(always)]
    fn like(self, constant: f64) -> Self {
        self.of(self.simd.splat(constant as f32))
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        self.of(self.simd.sqrt(self.values))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        self.of(math::absolute(self.simd, self.values))
    }

    #[inline(always)]
    fn sign(self) -> Self {
        let [zero, one] = [0.0, 1.0].map(|number| self.like(number));
        zero.if_less(self, one, self.if_less(zero, -one, zero))
    }

    #[inline(always)]
    fn relu(self) -> Self {
        self.of(self.simd.relu(self.values))
    }

    #[inline(always)]
    fn sigmoid(self) -> Self {
        self.of(math::sigmoid(self.simd, self.values)[0])
    }

    #[inline(always)]
    fn pow(self, exponent: f64) -> Self {
        self.of(math::power(self.simd, self.values, exponent))
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        // `cap` keeps a NaN of the first.
        other.if_equal(other, self.of(self.simd.cap(self.values, other.values)), other)
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        other.if_equal(other, self.of(self.simd.raise(self.values, other.values)), other)
    }

    #[inline(always)]
    fn if_less(self, other: Self, yes: Self, no: Self) -> Self {
        let mask = self.simd.less(self.values, other.values);
        self.of(self.simd.select(mask, yes.values, no.values))
    }

    #[inline(always)]
    fn if_equal(self, other: Self, yes: Self, no: Self) -> Self {
        let mask = self.simd.equal(self.values, other.values);
        self.of(self.simd.select(mask, yes.values, no.values))
    }
}

macro_rules! of_f64 {
    ($($function:ident as $name:ident),*) => {
        $(fn $function(self) -> Self {
            f64::$name(self)
        })*
    };
}

/// For the reference.
impl Number for f64 {
    of_f64!(exp as exp, exp_m1 as exp_m1, ln as ln, ln_1p as ln_1p, sqrt as sqrt, abs as abs, tanh as tanh);

    fn like(self, constant: f64) -> Self {
        constant
    }

    fn sign(self) -> Self {
        if self > 0.0 {
            1.0
        } else if self < 0.0 {
            -1.0
        } else {
            0.0
        }
    }

    fn relu(self) -> Self {
        if self < 0.0 { 0.0 } else { self }
    }

    fn sigmoid(self) -> Self {
        1.0 / (1.0 + f64::exp(-self))
    }

    fn softplus(self) -> Self {
        self.relu() + f64::ln_1p(f64::exp(-f64::abs(self)))
    }

    fn erf(self) -> Self {
        error_function(self)
    }

    fn pow(self, exponent: f64) -> Self {
        self.powf(exponent)
    }

    fn min(self, other: Self) -> Self {
        if self.is_nan() || self < other { self } else { other }
    }

    fn max(self, other: Self) -> Self {
        if self.is_nan() || self > other { self } else { other }
    }

    fn if_less(self, other: Self, yes: Self, no: Self) -> Self {
        if self < other { yes } else { no }
    }

    #[allow(clippy::float_cmp, reason = "it is what an expression says")]
    fn if_equal(self, other: Self, yes: Self, no: Self) -> Self {
        if self == other { yes } else { no }
    }
}

/// By its power series up to 3, and by a continued fraction beyond:
/// <https://en.wikipedia.org/wiki/Error_function>.
fn error_function(x: f64) -> f64 {
    let size = f64::abs(x);
    if size.is_nan() {
        return x;
    }
    if size < 3.0 {
        let (mut term, mut sum) = (x, x);
        for n in 1..100 {
            let n = f64::from(n);
            term *= -x * x / n;
            sum += term / (2.0 * n + 1.0);
        }
        return sum * core::f64::consts::FRAC_2_SQRT_PI;
    }
    let mut fraction = size;
    for n in (1..80).rev() {
        fraction = size + f64::from(n) / 2.0 / fraction;
    }
    let tail = f64::exp(-size * size) / fraction / f64::sqrt(core::f64::consts::PI);
    f64::copysign(1.0 - tail, x)
}
