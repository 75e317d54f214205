//! `layer_scale`. <https://arxiv.org/abs/2103.17239>, as torchvision's ConvNeXt has it.

use super::prepare::{Fold, Folded, Prepared};
use super::{GradInput, Initial, Operation, Order, Parameter, Pass};
use crate::kernel::Write;
use crate::kernel::geometry::Layout;
use crate::kernel::memory::scratch::Needs;
use crate::kernel::pointwise::scale;
use crate::kernel::rows::{Rows, RowsMut};

/// A factor for each channel, which is learned. Parameters are these, `[c, 1, 1]` of a map and `[c]` of features, under the
/// name of the step itself.
pub trait LayerScale {
    /// Channels of the map, or features.
    const CHANNELS: usize;
    /// Whether it is a map with height and width.
    const SPATIAL: bool;
    /// What the factors start as.
    const INIT_VALUE: f32;
    /// Where the maps lie.
    const LAYOUT: Layout;
    /// The layer as data.
    const OPERATION: Operation =
        Operation::LayerScale { channels: Self::CHANNELS, spatial: Self::SPATIAL, init_value: Self::INIT_VALUE };
    /// The scratch memory that its loops take.
    const NEEDS: Needs = Self::OPERATION.needs();
}

/// See [`conv2d::needs`](super::conv2d::needs).
pub const fn needs<L: LayerScale>() -> Needs {
    L::NEEDS
}

pub(super) const fn parameters(channels: usize, spatial: bool, init_value: f32) -> [Parameter; 1] {
    [Parameter {
        name: "",
        sizes: [channels, 1, 1, 1],
        rank: if spatial { 3 } else { 1 },
        initial: Initial::Constant(init_value),
        order: Order::Plain,
    }]
}

/// input `[n, .., c]` -> output `[n, .., c]`
pub fn forward<L: LayerScale>(_pass: &mut Pass<'_>, parameters: &[f32], input: &[f32], output: &mut [f32]) {
    let Layout { in_stride, out_stride } = L::LAYOUT;
    scale::forward(parameters, Rows::strided(input, in_stride), RowsMut::strided(output, out_stride), Write::Store);
}

/// input `[n, .., c]`, grad_output `[n, .., c]` -> grad_input `[n, .., c]`, grad_parameters
pub fn backward<L: LayerScale>(
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
    scale::backward(parameters, input, grad_output, grad_input, grad_parameters, pass.scratch);
}

/// It as a part of the weights of a layer before it, whose first channel is this one of its own.
pub fn fold<'a, L: LayerScale>(parameters: &'a [f32], _state: &[f32], first: usize, shifts: bool) -> Fold<'a> {
    Fold { of: Folded::Factors(parameters), first, shifts }
}

/// What a predictor has of it.
pub const fn prepared<L: LayerScale>() -> Prepared {
    Prepared::of(L::CHANNELS)
}

/// Copies its factors; it has no state.
pub fn prepare<L: LayerScale>(parameters: &[f32], _state: &[f32], prepared: &mut [f32]) {
    prepared[..L::CHANNELS].copy_from_slice(parameters);
}

/// [`forward`] with factors that are prepared.
pub fn predict<L: LayerScale>(pass: &mut Pass<'_>, prepared: &[f32], input: &[f32], output: &mut [f32]) {
    forward::<L>(pass, &prepared[..L::CHANNELS], input, output);
}

/// [`predict`] where input and output are one.
pub fn predict_in_place<L: LayerScale>(_pass: &mut Pass<'_>, prepared: &[f32], map: &mut [f32]) {
    scale::forward_in_place(&prepared[..L::CHANNELS], RowsMut::strided(map, L::LAYOUT.out_stride));
}
