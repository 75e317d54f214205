//! `map(|x, y| ..)`: an expression of values at the same place. Its gradients were written by the macro.

use core::fmt;

use super::{GradInput, Operation, Pass};
use crate::kernel::geometry::ExpressionGeometry;
use crate::kernel::pointwise::expression::{self, Gradient};
use crate::kernel::rows::Rows;

pub use crate::kernel::geometry::Operand;
pub use crate::kernel::pointwise::expression::Expression;
pub use crate::kernel::pointwise::number::Number;

/// An expression of a network. It has no parameters.
pub trait Map<const N: usize>: Expression<N> {
    /// What it takes and makes.
    const GEOMETRY: ExpressionGeometry<N>;
    /// How it is written.
    const TEXT: &'static str;
    /// The layer as data.
    const OPERATION: Operation = Operation::Map(Written { text: Self::TEXT, evaluate: evaluate::<Self, N> });
}

/// An expression as data.
#[derive(Clone, Copy)]
pub struct Written {
    /// As it is written: `|x| x * sigmoid(x)`.
    pub text: &'static str,
    /// Its value, and the gradients of its arguments where that of the value is 1: arguments `[n]` -> gradients `[n]`.
    pub evaluate: fn(&[f64], &mut [f64]) -> f64,
}

impl PartialEq for Written {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Debug for Written {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.text)
    }
}

fn evaluate<L: Map<N> + ?Sized, const N: usize>(arguments: &[f64], gradients: &mut [f64]) -> f64 {
    let arguments: [f64; N] = core::array::from_fn(|argument| arguments[argument]);
    let value = L::value(arguments);
    gradients.copy_from_slice(&L::gradients(arguments, value, 1.0));
    value
}

/// maps `[n, .., c]` -> output `[n, .., c]`
pub fn forward<L: Map<N>, const N: usize>(_pass: &mut Pass<'_>, maps: [&[f32]; N], output: &mut [f32]) {
    expression::forward::<L, N>(&L::GEOMETRY, maps, output);
}

/// maps, or output, as far as the gradients look at them, grad_output `[n, .., c]` -> the gradients of the maps that are wanted,
/// each with the values between its cells where it is a part of a wider map, else 0.
pub fn backward<L: Map<N>, const N: usize>(
    _pass: &mut Pass<'_>,
    maps: [&[f32]; N],
    output: &[f32],
    grad_output: Rows<'_>,
    gradients: [(Option<GradInput<'_>>, usize); N],
) {
    let gradients = gradients.map(|(gradient, stride)| {
        let GradInput { values, write } = gradient?;
        Some(Gradient { values, stride, write })
    });
    expression::backward::<L, N>(&L::GEOMETRY, maps, output, grad_output, gradients);
}

/// A loss that is an expression of batches, `[n, .., c]` each for itself -> the sum of all its values, and the gradient of the
/// map `by` where that of each value is `scale`.
pub fn sum<L: Map<N>, const N: usize>(maps: [&[f32]; N], by: usize, scale: f32, gradient: &mut [f32]) -> f64 {
    let operands = L::GEOMETRY.operands.map(|operand| Operand { stride: 0, ..operand });
    let geometry = ExpressionGeometry { operands, out_stride: 0, ..L::GEOMETRY };
    expression::sum::<L, N>(&geometry, maps, by, scale, gradient)
}
