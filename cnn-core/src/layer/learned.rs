//! `parameter`: a map that is learned, the same for each sample (`nn.Parameter`).
//! <https://pytorch.org/docs/stable/generated/torch.nn.parameter.Parameter.html>

use super::prepare::Prepared;
use super::{GradInput, Initial, Operation, Order, Parameter, Pass};
use crate::kernel::Write;
use crate::kernel::pointwise::constant;
use crate::shape::window;

/// A learned map of a network. Parameters are its values, `[c, h, w]` in files, under the name of the step itself. It does not
/// look at its input.
pub trait Learned {
    /// Channels, height and width.
    const SIZES: [usize; 3];
    /// What its values start as.
    const INIT_VALUE: f32;
    /// The layer as data.
    const OPERATION: Operation = Operation::Learned { sizes: Self::SIZES, init_value: Self::INIT_VALUE };
}

pub(super) const fn parameters([channels, height, width]: [usize; 3], init_value: f32) -> [Parameter; 1] {
    let initial = Initial::Constant(init_value);
    [Parameter { name: "", sizes: [channels, height, width, 1], rank: 3, initial, order: Order::Map }]
}

const fn len<L: Learned>() -> usize {
    let [channels, height, width] = L::SIZES;
    window::product(channels, window::product(height, width))
}

/// parameters `[h, w, c]` -> output `[n, h, w, c]`
pub fn forward<L: Learned>(_pass: &mut Pass<'_>, parameters: &[f32], _input: &[f32], output: &mut [f32]) {
    constant::forward(parameters, output);
}

/// grad_output `[n, h, w, c]` -> grad_parameters, and a grad_input of zeros
pub fn backward<L: Learned>(
    _pass: &mut Pass<'_>,
    _parameters: &[f32],
    _input: &[f32],
    _output: &[f32],
    grad_output: &mut [f32],
    grad_input: Option<GradInput<'_>>,
    grad_parameters: &mut [f32],
) {
    if let Some(GradInput { values, write: Write::Store }) = grad_input {
        values.fill(0.0);
    }
    constant::backward(grad_output, grad_parameters);
}

/// What a predictor has of it.
pub const fn prepared<L: Learned>() -> Prepared {
    Prepared::of(len::<L>())
}

/// Copies its values; it has no state.
pub fn prepare<L: Learned>(parameters: &[f32], _state: &[f32], prepared: &mut [f32]) {
    prepared[..len::<L>()].copy_from_slice(parameters);
}

/// [`forward`] with values that are prepared.
pub fn predict<L: Learned>(pass: &mut Pass<'_>, prepared: &[f32], input: &[f32], output: &mut [f32]) {
    forward::<L>(pass, &prepared[..len::<L>()], input, output);
}
