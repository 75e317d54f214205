//! What happens to a value on its way to memory. Knows nothing but vectors.

use crate::kernel::isa::Simd;

/// What happens to the values that a result meets in its target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Write {
    /// They are overwritten.
    #[default]
    Store,
    /// The result is added to them.
    Add,
}

/// The function at the end of a product or a normalization, which costs nothing there: one whose slope can be told from
/// its results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rectifier {
    /// None: results stay as they are.
    #[default]
    None,
    /// `max(x, 0)`; NaN stays.
    Relu,
    /// `min(max(x, 0), 6)`; NaN stays.
    Relu6,
}

impl Rectifier {
    /// Its values.
    #[inline(always)]
    pub(crate) fn apply<S: Simd, const N: usize>(self, simd: S, values: &mut [S::Vector; N]) {
        self.apply_rows(simd, core::array::from_mut(values));
    }

    /// Its values, where there are several rows of vectors.
    #[inline(always)]
    pub(crate) fn apply_rows<S: Simd, const N: usize, const M: usize>(self, simd: S, rows: &mut [[S::Vector; N]; M]) {
        // A loop for each step: the compiler unrolls them, and a value whose index it knows stays in its register.
        if self != Self::None {
            for row in &mut *rows {
                for x in row {
                    *x = simd.relu(*x);
                }
            }
        }
        if self == Self::Relu6 {
            let six = simd.splat(6.0);
            for row in rows {
                for x in row {
                    *x = simd.cap(*x, six);
                }
            }
        }
    }

    /// The gradient where it is not flat, told from its results: zero at 0 and 6, and all of it at NaN, as in PyTorch.
    #[inline(always)]
    pub(crate) fn gradient<S: Simd>(self, simd: S, output: S::Vector, grad: S::Vector) -> S::Vector {
        let zero = simd.splat(0.0);
        let rising = match self {
            Self::None => return grad,
            Self::Relu => grad,
            Self::Relu6 => simd.select(simd.equal(output, simd.splat(6.0)), zero, grad),
        };
        simd.select(simd.equal(output, zero), zero, rising)
    }

    /// Its value at one number.
    #[inline(always)]
    pub(crate) fn of(self, x: f32) -> f32 {
        match self {
            Self::None => x,
            // `f32::max` would turn NaN into zero.
            Self::Relu => {
                if x < 0.0 {
                    0.0
                } else {
                    x
                }
            }
            Self::Relu6 => x.clamp(0.0, 6.0),
        }
    }
}
