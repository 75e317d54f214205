//! A factor for each channel, which is learned.

use super::join::{self, Gate};
use crate::kernel::Write;
use crate::kernel::isa::Simd;
use crate::kernel::memory::scratch::{Needs, Scratch};
use crate::kernel::rows::column_sums::{self, Term};
use crate::kernel::rows::{Rows, RowsMut};

/// What [`backward`] works in.
pub const fn needs(channels: usize) -> Needs {
    Needs { shared: column_sums::partials_len(channels), per_thread: 0 }
}

/// input `[.., c]`, weight `[c]` -> output `[.., c]` (+)= input * weight.
pub fn forward(weight: &[f32], input: Rows<'_>, output: RowsMut<'_>, write: Write) {
    join::gate(one_gate(weight, input), input, weight, output, write);
}

/// values `[.., c]` *= weight `[c]`.
pub fn forward_in_place(weight: &[f32], values: RowsMut<'_>) {
    let cells = values.map(weight.len()).samples(values.values.len());
    join::gate_in_place(Gate { channels: weight.len(), cells }, weight, values);
}

/// input `[.., c]`, weight `[c]`, grad_output `[.., c]` -> grad_input `[.., c]`, grad_weight `[c]`.
pub fn backward(
    weight: &[f32],
    input: Rows<'_>,
    grad_output: Rows<'_>,
    grad_input: Option<(RowsMut<'_>, Write)>,
    grad_weight: &mut [f32],
    scratch: &mut Scratch,
) {
    assert_eq!(grad_weight.len(), weight.len());
    let (partials, _) = scratch.lend(needs(weight.len()));
    column_sums::run::<Product>(input, grad_output, grad_weight, partials);
    if let Some((grad_input, write)) = grad_input {
        forward(weight, grad_output, grad_input, write);
    }
}

/// All cells of the batch meet the same factors.
fn one_gate(weight: &[f32], map: Rows<'_>) -> Gate {
    Gate { channels: weight.len(), cells: map.map(weight.len()).samples(map.values().len()) }
}

/// `a * b`.
struct Product;

impl Term for Product {
    #[inline(always)]
    fn add<S: Simd>(simd: S, a: S::Vector, b: S::Vector, sum: S::Vector) -> S::Vector {
        simd.mul_add(a, b, sum)
    }
}
