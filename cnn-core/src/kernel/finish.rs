//! What happens to a value on its way to memory, or just behind it. Knows no loops.

use crate::kernel::geometry::Activation;
use crate::kernel::isa::{Isa, Simd};

/// What happens to the values that a result meets in its target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Write {
    /// They are overwritten.
    #[default]
    Store,
    /// The result is added to them.
    Add,
}

/// The function at the end of a product, a normalization or a sum, where it costs next to nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum FusedActivation {
    /// None: results stay as they are.
    #[default]
    None,
    /// `max(x, 0)`; NaN stays.
    Relu,
    /// `min(max(x, 0), 6)`; NaN stays.
    Relu6,
    /// Another one, which is not applied in registers: tiles of all functions would take longer to compile than most
    /// programs.
    Then(&'static Then),
}

/// A function that a task applies to what it has just written, while a cache has it. It is told by pointers, so that a
/// program has those that it names, and loops are compiled once for all of them.
#[derive(Clone, Copy, Debug)]
pub struct Then {
    pub(crate) function: Activation,
    /// Values that take about as long as one that is only moved.
    pub(crate) cost: usize,
    pub(crate) values: Values,
    pub(crate) gradients: Gradients,
}

/// Applies the function to rows of columns, in their place.
///
/// # Safety
/// All are in memory, and nobody else uses them.
pub(crate) type Values = unsafe fn(Activation, Isa, [usize; 2], At<*mut f32>);

/// Writes gradients of what the function got, of what is remembered and the gradients of what it made. The rows that are
/// written may be those that are read.
///
/// # Safety
/// All are in memory, and nobody else uses those that are written.
pub(crate) type Gradients = unsafe fn(Activation, Isa, [usize; 2], From, [At<*const f32>; 2], At<*mut f32>);

/// Where rows are: the first, and how many values apart.
pub(crate) type At<P> = (P, usize);

/// What a function's slope is told from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    Input,
    Output,
}

impl PartialEq for Then {
    fn eq(&self, other: &Self) -> bool {
        self.function == other.function
    }
}

impl Then {
    /// Applies it to rows of columns.
    ///
    /// # Safety
    /// As [`Values`].
    pub(crate) unsafe fn apply(&self, isa: Isa, [rows, columns]: [usize; 2], values: At<*mut f32>) {
        // Rows that lie one behind the other are one.
        let size = if values.1 == columns { [1, rows * columns] } else { [rows, columns] };
        // SAFETY: the caller's promise.
        unsafe { (self.values)(self.function, isa, size, values) };
    }
}

impl FusedActivation {
    /// What is to be applied to what has been written.
    #[inline(always)]
    pub(crate) fn then(self) -> Option<&'static Then> {
        if let Self::Then(then) = self { Some(then) } else { None }
    }

    /// Its values, where it is one for registers.
    #[inline(always)]
    pub(crate) fn apply<S: Simd, const N: usize>(self, simd: S, values: &mut [S::Vector; N]) {
        self.apply_rows(simd, core::array::from_mut(values));
    }

    /// Its values, where there are several rows of vectors.
    #[inline(always)]
    pub(crate) fn apply_rows<S: Simd, const N: usize, const M: usize>(self, simd: S, rows: &mut [[S::Vector; N]; M]) {
        // A loop for each step: the compiler unrolls them, and a value whose index it knows stays in its register.
        if matches!(self, Self::Relu | Self::Relu6) {
            for row in &mut *rows {
                for x in row {
                    *x = simd.relu(*x);
                }
            }
        }
        if matches!(self, Self::Relu6) {
            let six = simd.splat(6.0);
            for row in rows {
                for x in row {
                    *x = simd.cap(*x, six);
                }
            }
        }
    }

    /// The gradient where it is not flat, told from its results, of one for registers: zero at 0 and 6, and all of it at NaN, as in
    /// PyTorch.
    #[inline(always)]
    pub(crate) fn gradient<S: Simd>(self, simd: S, output: S::Vector, grad: S::Vector) -> S::Vector {
        let zero = simd.splat(0.0);
        let rising = match self {
            Self::None | Self::Then(_) => return grad,
            Self::Relu => grad,
            Self::Relu6 => simd.select(simd.equal(output, simd.splat(6.0)), zero, grad),
        };
        simd.select(simd.equal(output, zero), zero, rising)
    }

    /// Its value at one number, of one for registers.
    #[inline(always)]
    pub(crate) fn of(self, x: f32) -> f32 {
        match self {
            Self::None | Self::Then(_) => x,
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
