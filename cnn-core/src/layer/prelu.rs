//! `prelu`. <https://pytorch.org/docs/stable/generated/torch.nn.PReLU.html>

use super::prepare::Prepared;
use super::{GradInput, Initial, Operation, Parameter, Pass};
use crate::kernel::geometry::Layout;
use crate::kernel::memory::scratch::Needs;
use crate::kernel::pointwise::prelu;
use crate::kernel::rows::{Rows, RowsMut};

/// A rectifier whose slope below zero is learned. Parameters are the weight `[c]`, or `[1]` for all channels.
pub trait Prelu {
    /// Channels of the map, or features.
    const CHANNELS: usize;
    /// Slopes that are learned: one for each channel, or one.
    const NUM_PARAMETERS: usize;
    /// Where the maps lie.
    const LAYOUT: Layout;
    /// The layer as data.
    const OPERATION: Operation = Operation::Prelu { channels: Self::CHANNELS, num_parameters: Self::NUM_PARAMETERS };
    /// The scratch memory that its loops take.
    const NEEDS: Needs = Self::OPERATION.needs();
}

/// See [`conv2d::needs`](super::conv2d::needs).
pub const fn needs<L: Prelu>() -> Needs {
    L::NEEDS
}

pub(super) const fn parameters(num_parameters: usize) -> [Parameter; 1] {
    [Parameter::vector("weight", num_parameters, Initial::Constant(0.25))]
}

/// input `[n, .., c]` -> output `[n, .., c]`
pub fn forward<L: Prelu>(_pass: &mut Pass<'_>, parameters: &[f32], input: &[f32], output: &mut [f32]) {
    let (input, output) = (Rows::strided(input, L::LAYOUT.in_stride), RowsMut::strided(output, L::LAYOUT.out_stride));
    prelu::forward(L::CHANNELS, parameters, input, output);
}

/// input `[n, .., c]`, grad_output `[n, .., c]` -> grad_input `[n, .., c]`, grad_parameters
pub fn backward<L: Prelu>(
    pass: &mut Pass<'_>,
    parameters: &[f32],
    input: &[f32],
    _output: &[f32],
    grad_output: &mut [f32],
    grad_input: Option<GradInput<'_>>,
    grad_parameters: &mut [f32],
) {
    let Layout { in_stride, out_stride } = L::LAYOUT;
    let (input, grad_output) = (Rows::strided(input, in_stride), Rows::strided(grad_output, out_stride));
    let grad_input = grad_input.map(|GradInput { values, write }| (RowsMut::strided(values, in_stride), write));
    prelu::backward(L::CHANNELS, parameters, input, grad_output, grad_input, grad_parameters, pass.scratch);
}

/// What a predictor has of it.
pub const fn prepared<L: Prelu>() -> Prepared {
    Prepared::of(L::NUM_PARAMETERS)
}

/// Copies its slopes; it has no state.
pub fn prepare<L: Prelu>(parameters: &[f32], _state: &[f32], prepared: &mut [f32]) {
    prepared[..L::NUM_PARAMETERS].copy_from_slice(parameters);
}

/// [`forward`] with slopes that are prepared.
pub fn predict<L: Prelu>(pass: &mut Pass<'_>, prepared: &[f32], input: &[f32], output: &mut [f32]) {
    forward::<L>(pass, &prepared[..L::NUM_PARAMETERS], input, output);
}
