//! `relu`. <https://pytorch.org/docs/stable/generated/torch.nn.ReLU.html>

use super::{GradInput, Operation, Pass};
use crate::kernel::elementwise;

/// A rectifier of a network: `max(x, 0)` of every value. It has no parameters.
pub trait Relu {
    /// The layer as data.
    const OPERATION: Operation = Operation::Relu;
}

/// input `[n, ..]` -> output `[n, ..]`
pub fn forward<L: Relu>(_pass: &mut Pass<'_>, _parameters: &[f32], input: &[f32], output: &mut [f32]) {
    elementwise::relu_from(input, output);
}

/// output `[n, ..]`, grad_output `[n, ..]` -> grad_input `[n, ..]`
pub fn backward<L: Relu>(
    _pass: &mut Pass<'_>,
    _parameters: &[f32],
    _input: &[f32],
    output: &[f32],
    grad_output: &mut [f32],
    grad_input: Option<GradInput<'_>>,
    _grad_parameters: &mut [f32],
) {
    if let Some(GradInput { values, write }) = grad_input {
        elementwise::relu_backward(output, grad_output, values, write);
    }
}

/// [`forward`] where input and output are one.
pub fn forward_in_place<L: Relu>(_pass: &mut Pass<'_>, map: &mut [f32]) {
    elementwise::relu(map);
}

/// [`backward`] where grad_output and grad_input are one.
pub fn backward_in_place<L: Relu>(_pass: &mut Pass<'_>, output: &[f32], grad: &mut [f32]) {
    elementwise::relu_backward_in_place(output, grad);
}
