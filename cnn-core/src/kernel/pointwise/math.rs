//! Elementary functions of vectors, correct to a few units in the last place, from the smallest numbers to infinity. NaN
//! stays NaN.

use crate::kernel::isa::{MAX_LANES, Simd};

/// A sum with it rounds to a whole number, which the subtraction then gives.
const ROUND: f32 = 1.5 * (1 << 23) as f32;

/// The logarithm of 2 in two parts: a multiple of the first is exact.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
/// `(exp(x) - 1 - x) / x^2` up to half of that logarithm.
const EXPONENTIAL: [f32; 6] = [1.987_569_2e-4, 1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5];

#[inline(always)]
fn round<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    simd.sub(simd.add(x, simd.splat(ROUND)), simd.splat(ROUND))
}

/// The largest of all lanes, and NaN or not if one is NaN.
#[inline(always)]
pub(crate) fn largest<S: Simd>(simd: S, x: S::Vector) -> f32 {
    lanes(simd, x)[..S::LANES].iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

/// The sum of all lanes.
#[inline(always)]
pub(crate) fn sum<S: Simd>(simd: S, x: S::Vector) -> f32 {
    lanes(simd, x)[..S::LANES].iter().sum()
}

/// All lanes, one after the other.
#[inline(always)]
pub(crate) fn fold<S: Simd>(simd: S, x: S::Vector, start: f32, each: impl Fn(f32, f32) -> f32) -> f32 {
    lanes(simd, x)[..S::LANES].iter().copied().fold(start, each)
}

/// The sum of the first lanes.
#[inline(always)]
pub(crate) fn sum_of<S: Simd>(simd: S, x: S::Vector, count: usize) -> f32 {
    lanes(simd, x)[..count].iter().sum()
}

/// The lanes, and zeros up to 16.
#[inline(always)]
fn lanes<S: Simd>(simd: S, x: S::Vector) -> [f32; MAX_LANES] {
    let mut lanes = [0.0; MAX_LANES];
    // SAFETY: no set has more lanes.
    unsafe { simd.store(lanes.as_mut_ptr(), x) };
    lanes
}

/// The polynomial with these coefficients, the highest power's first.
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(simd: S, x: S::Vector, coefficients: [f32; N]) -> S::Vector {
    let mut sum = simd.splat(coefficients[0]);
    for coefficient in &coefficients[1..] {
        sum = simd.mul_add(sum, x, simd.splat(*coefficient));
    }
    sum
}

#[inline(always)]
pub(crate) fn absolute<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    simd.raise(x, simd.sub(simd.splat(0.0), x))
}

/// `exp(x)`.
#[inline(always)]
pub(crate) fn exp<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    exp_sum(simd, x, simd.splat(0.0))
}

/// `exp(x + rest)` for a rest that rounding would lose, at most some hundredths in size.
///
/// The exponent is cut into a multiple of ln 2 and at most a half of it, whose exponential is a polynomial:
/// <https://www.netlib.org/cephes/> (`expf`).
#[inline(always)]
fn exp_sum<S: Simd>(simd: S, x: S::Vector, rest: S::Vector) -> S::Vector {
    /// Beyond these the result is infinity or zero.
    const RANGE: [f32; 2] = [-104.0, 89.0];
    let x = simd.raise(simd.cap(x, simd.splat(RANGE[1])), simd.splat(RANGE[0]));
    let power = round(simd, simd.mul(x, simd.splat(core::f32::consts::LOG2_E)));
    let r = simd.mul_add(power, simd.splat(-LN_2[0]), x);
    let r = simd.add(simd.mul_add(power, simd.splat(-LN_2[1]), r), rest);
    let series = polynomial(simd, r, EXPONENTIAL);
    let value = simd.add(simd.mul_add(simd.mul(r, r), series, r), simd.splat(1.0));
    // The powers at both ends are no normal numbers: two halves of them are.
    let half = round(simd, simd.mul(power, simd.splat(0.5)));
    let value = simd.mul(value, simd.power_of_two(half));
    simd.mul(value, simd.power_of_two(simd.sub(power, half)))
}

/// `1 / (1 + exp(-x))`, and one minus it.
///
/// Both come from `exp(-|x|)`, so that none of them is a difference of nearly equal numbers.
#[inline(always)]
pub(crate) fn sigmoid<S: Simd>(simd: S, x: S::Vector) -> [S::Vector; 2] {
    let small = exp(simd, simd.sub(simd.splat(0.0), absolute(simd, x)));
    let large = simd.div(simd.splat(1.0), simd.add(simd.splat(1.0), small));
    let small = simd.mul(small, large);
    let negative = simd.less(x, simd.splat(0.0));
    [simd.select(negative, small, large), simd.select(negative, large, small)]
}

/// `tanh(x)`: a polynomial for small numbers, which are a difference otherwise.
#[inline(always)]
pub(crate) fn tanh<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    const SERIES: [f32; 5] = [-5.704_988_7e-3, 2.063_909e-2, -5.373_971_6e-2, 1.333_144_2e-1, -3.333_328e-1];
    let square = simd.mul(x, x);
    let small = simd.mul_add(simd.mul(polynomial(simd, square, SERIES), square), x, x);
    let size = absolute(simd, x);
    let exponential = exp(simd, simd.add(size, size));
    let share = simd.div(simd.splat(2.0), simd.add(exponential, simd.splat(1.0)));
    let large = simd.sub(simd.splat(1.0), share);
    let negative = simd.less(x, simd.splat(0.0));
    let large = simd.select(negative, simd.sub(simd.splat(0.0), large), large);
    simd.select(simd.less(size, simd.splat(0.625)), small, large)
}

/// The slope of `tanh`, `1 - tanh(x)^2`, as `4 s (1 - s)` with the sigmoid of `2 x`.
#[inline(always)]
pub(crate) fn tanh_slope<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    let [a, b] = sigmoid(simd, simd.add(x, x));
    simd.mul(simd.splat(4.0), simd.mul(a, b))
}

/// The normal distribution: the probability of less than `x`, and the density at `x`.
#[inline(always)]
pub(crate) fn normal<S: Simd>(simd: S, x: S::Vector) -> [S::Vector; 2] {
    /// `1 / sqrt(2 pi)`
    const DENSITY: f32 = 0.398_942_3;
    /// The probability of more than `x`, divided by `exp(-x^2 / 2)`, is `t` times this polynomial of `t = 1 / (1 + 0.27 x)`:
    /// interpolated in the zeros of a Chebyshev polynomial up to `x = 14.5`, within 3e-8.
    const TAIL: [f32; 9] = [
        0.029_205_833,
        -0.127_722_56,
        0.172_436_1,
        -0.072_344_564,
        0.110_054_22,
        0.071_077_585,
        0.102_063_55,
        0.107_507_095,
        0.107_722_76,
    ];
    // Beyond 15 the probability is zero, and squares stay finite.
    let size = simd.cap(absolute(simd, x), simd.splat(15.0));
    // The square in two parts, of which the first is exact: its rounding would be multiplied by the exponential.
    let scaled = simd.mul(size, simd.splat(4097.0));
    let high = simd.sub(scaled, simd.sub(scaled, size));
    let rest = simd.mul(simd.sub(size, high), simd.add(size, high));
    let half = simd.splat(-0.5);
    let exponential = exp_sum(simd, simd.mul(simd.mul(high, high), half), simd.mul(rest, half));
    let t = simd.div(simd.splat(1.0), simd.mul_add(size, simd.splat(0.27), simd.splat(1.0)));
    let tail = simd.mul(exponential, simd.mul(t, polynomial(simd, t, TAIL)));
    let negative = simd.less(x, simd.splat(0.0));
    let probability = simd.select(negative, tail, simd.sub(simd.splat(1.0), tail));
    [probability, simd.mul(exponential, simd.splat(DENSITY))]
}

/// `exp(x) - 1`: near zero the polynomial of [`exp`] without its one.
#[inline(always)]
pub(crate) fn exp_m1<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    let one = simd.splat(1.0);
    // Below it is -1; above the one is nothing, and the power would be too large.
    let inside = simd.raise(simd.cap(x, simd.splat(40.0)), simd.splat(-30.0));
    let power = round(simd, simd.mul(inside, simd.splat(core::f32::consts::LOG2_E)));
    let r = simd.mul_add(power, simd.splat(-LN_2[0]), inside);
    let r = simd.mul_add(power, simd.splat(-LN_2[1]), r);
    let rest = simd.mul_add(simd.mul(r, r), polynomial(simd, r, EXPONENTIAL), r);
    let scale = simd.power_of_two(power);
    let value = simd.mul_add(scale, rest, simd.sub(scale, one));
    let value = simd.select(simd.less(simd.splat(40.0), x), exp(simd, x), value);
    // Zero keeps its sign.
    simd.select(simd.equal(x, simd.splat(0.0)), x, value)
}

/// `ln(x)`: the exponent and a polynomial of the factor, <https://www.netlib.org/cephes/> (`logf`).
#[inline(always)]
pub(crate) fn ln<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    const SERIES: [f32; 9] = [
        7.037_683_6e-2,
        -1.151_461e-1,
        1.167_699_9e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_8e-1,
        2.000_071_5e-1,
        -2.499_999_4e-1,
        3.333_333e-1,
    ];
    /// What makes normal numbers of the others.
    const SCALE: f32 = (1 << 23) as f32;
    let (zero, infinity) = (simd.splat(0.0), simd.splat(f32::INFINITY));
    let is_small = simd.less(x, simd.splat(f32::MIN_POSITIVE));
    let [factor, exponent] = simd.split(simd.select(is_small, simd.mul(x, simd.splat(SCALE)), x));
    let exponent = simd.select(is_small, simd.sub(exponent, simd.splat(23.0)), exponent);
    let f = simd.sub(factor, simd.splat(1.0));
    let square = simd.mul(f, f);
    let series = simd.mul(simd.mul(f, square), polynomial(simd, f, SERIES));
    let series = simd.mul_add(exponent, simd.splat(LN_2[1]), series);
    let series = simd.mul_add(square, simd.splat(-0.5), series);
    let value = simd.mul_add(exponent, simd.splat(LN_2[0]), simd.add(f, series));
    let value = simd.select(simd.equal(x, zero), simd.sub(zero, infinity), value);
    let value = simd.select(simd.less(x, infinity), value, x);
    // NaN of numbers below zero.
    simd.select(simd.less(x, zero), simd.sub(infinity, infinity), value)
}

/// `ln(1 + x)`: the logarithm of the rounded sum, and what its rounding lost.
#[inline(always)]
pub(crate) fn ln_1p<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    let one = simd.splat(1.0);
    let sum = simd.add(x, one);
    let lost = simd.div(simd.sub(x, simd.sub(sum, one)), sum);
    let value = simd.add(ln(simd, sum), lost);
    // At both ends there is nothing to correct.
    let value = simd.select(simd.less(simd.splat(0.0), sum), value, ln(simd, sum));
    let value = simd.select(simd.equal(sum, simd.splat(f32::INFINITY)), sum, value);
    // So small that the sum is one: zero keeps its sign.
    simd.select(simd.equal(sum, one), x, value)
}

/// `ln(1 + exp(x))`
#[inline(always)]
pub(crate) fn softplus<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    let zero = simd.splat(0.0);
    let rest = ln_1p(simd, exp(simd, simd.sub(zero, absolute(simd, x))));
    simd.add(simd.relu(x), rest)
}

/// The error function: a polynomial for small numbers, and the tail of the [`normal`] distribution.
#[inline(always)]
pub(crate) fn erf<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    /// `erf(x) / x - 1` of the square of `x`, interpolated in the zeros of a Chebyshev polynomial up to 1.
    const SERIES: [f32; 7] = [
        7.875_875e-5,
        -8.016_864_3e-4,
        5.189_087_2e-3,
        -2.685_421_1e-2,
        1.128_359_4e-1,
        -3.761_262_6e-1,
        1.283_791_7e-1,
    ];
    let (zero, one) = (simd.splat(0.0), simd.splat(1.0));
    let small = simd.mul_add(polynomial(simd, simd.mul(x, x), SERIES), x, x);
    let size = absolute(simd, x);
    let [tail, _] = normal(simd, simd.mul(size, simd.splat(-core::f32::consts::SQRT_2)));
    let large = simd.sub(one, simd.add(tail, tail));
    let large = simd.select(simd.less(x, zero), simd.sub(zero, large), large);
    // NaN is not less than anything, and the tail of NaN is NaN.
    simd.select(simd.less(size, one), small, large)
}

/// `x` to the power of a number. Whole numbers up to 64 are products, with an error of up to as many units in the last place;
/// halves up to 8 are roots of them; of others the rounding of the logarithm is multiplied: an error of up to
/// `2 + 2 |exponent ln x|` units.
#[inline(always)]
pub(crate) fn power<S: Simd>(simd: S, x: S::Vector, exponent: f64) -> S::Vector {
    let (one, size) = (simd.splat(1.0), exponent.abs());
    let value = if size == 0.0 {
        return one;
    } else if size <= 64.0 && size.fract() == 0.0 {
        product(simd, x, size as u32)
    } else if size < 8.0 && size.fract() == 0.5 {
        let root = simd.sqrt(x);
        if size < 1.0 { root } else { simd.mul(root, product(simd, x, size as u32)) }
    } else {
        let value = exp(simd, simd.mul(ln(simd, x), simd.splat(exponent as f32)));
        if size.fract() == 0.0 {
            // Of numbers below zero the sign is that of the power.
            let value = exp(simd, simd.mul(ln(simd, absolute(simd, x)), simd.splat(exponent as f32)));
            let odd = size % 2.0 == 1.0;
            return if odd {
                simd.select(simd.less(x, simd.splat(0.0)), simd.sub(simd.splat(0.0), value), value)
            } else {
                value
            };
        }
        return value;
    };
    if exponent < 0.0 { simd.div(one, value) } else { value }
}

/// `x` to the power of a whole number above zero.
#[inline(always)]
fn product<S: Simd>(simd: S, x: S::Vector, exponent: u32) -> S::Vector {
    let (mut value, mut square, mut rest) = (None, x, exponent);
    loop {
        if rest % 2 == 1 {
            value = Some(value.map_or(square, |value| simd.mul(value, square)));
        }
        rest /= 2;
        if rest == 0 {
            return value.unwrap_or(square);
        }
        square = simd.mul(square, square);
    }
}
