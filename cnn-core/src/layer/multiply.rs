//! `multiply`: the product of two branches. A map of one cell meets every cell of the other.

use super::GradInput;
use crate::kernel::Write;
use crate::kernel::pointwise::join::{self, Gate};
use crate::kernel::rows::{Rows, RowsMut};

/// a, b `[n, h, w, c]`, one of them perhaps `[n, 1, 1, c]`, of so many cells -> output `[n, h, w, c]`.
pub fn forward(channels: usize, cells: [usize; 2], a: Rows<'_>, b: Rows<'_>, output: RowsMut<'_>) {
    match cells {
        [a_cells, b_cells] if a_cells == b_cells => join::multiply(channels, a, b, output, Write::Store),
        [cells, 1] => join::gate(Gate { channels, cells }, a, b.values(), output, Write::Store),
        [_, cells] => join::gate(Gate { channels, cells }, b, a.values(), output, Write::Store),
    }
}

/// The other factor and grad_output -> the gradient of a factor, if it is wanted: grad_output times the other, summed over
/// the cells that the factor meets. `cells` are those of the factor and of the other; the gradient's cells
/// are `stride` values apart where it is a part of a wider map, otherwise that is 0.
pub fn backward(
    channels: usize,
    cells: [usize; 2],
    other: Rows<'_>,
    grad_output: Rows<'_>,
    grad_factor: Option<GradInput<'_>>,
    stride: usize,
) {
    let Some(GradInput { values, write }) = grad_factor else { return };
    match cells {
        [own, others] if own == others => {
            join::multiply(channels, grad_output, other, RowsMut::strided(values, stride), write);
        }
        [cells, 1] => {
            let to = RowsMut::strided(values, stride);
            join::gate(Gate { channels, cells }, grad_output, other.values(), to, write);
        }
        [_, cells] => join::gate_backward(Gate { channels, cells }, other, grad_output, values, write),
    }
}

/// [`backward`] to the factor whose gradient takes the place of grad_output.
pub fn backward_in_place(channels: usize, cells: [usize; 2], other: Rows<'_>, grad: RowsMut<'_>) {
    match cells {
        [own, others] if own == others => join::multiply_in_place(channels, other, grad),
        [cells, _] => join::gate_in_place(Gate { channels, cells }, other.values(), grad),
    }
}
