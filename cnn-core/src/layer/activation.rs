//! `relu`, `relu6`, `leaky_relu`, `sigmoid`, `tanh`, `hardsigmoid`, `hardswish`, `silu`, `gelu`: functions of each value.
//! <https://pytorch.org/docs/stable/nn.html#non-linear-activations-weighted-sum-nonlinearity>

use core::marker::PhantomData;

use super::{GradInput, Operation, Pass};
use crate::kernel::Then;
use crate::kernel::geometry::{self, Layout};
use crate::kernel::pointwise::activation::{self, Chosen, Remembered};
use crate::kernel::rows::{Rows, RowsMut};

/// An activation of a network. It has no parameters.
pub trait Activation {
    /// The function.
    const FUNCTION: geometry::Activation;
    /// Channels of the map, or features.
    const CHANNELS: usize;
    /// Where the maps lie.
    const LAYOUT: Layout;
    /// The layer as data.
    const OPERATION: Operation = Operation::Activation(Self::FUNCTION);
}

/// The function of a layer, which the compiler knows.
struct Of<L>(PhantomData<L>);

impl<L> Of<L> {
    const IT: Self = Self(PhantomData);
}

impl<L> Clone for Of<L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L> Copy for Of<L> {}

impl<L: Activation> Chosen for Of<L> {
    const KIND: u8 = L::FUNCTION.kind();

    fn function(self) -> geometry::Activation {
        L::FUNCTION
    }
}

/// The function for a layer before it that applies it to what it has just made.
pub const fn then<L: Activation>() -> &'static Then {
    const { &activation::then(L::FUNCTION) }
}

/// input `[n, .., c]` -> output `[n, .., c]`
pub fn forward<L: Activation>(_pass: &mut Pass<'_>, _parameters: &[f32], input: &[f32], output: &mut [f32]) {
    let (input, output) = (Rows::strided(input, L::LAYOUT.in_stride), RowsMut::strided(output, L::LAYOUT.out_stride));
    activation::forward(Of::<L>::IT, L::CHANNELS, input, output);
}

/// input, or output where the slope can be told from it, `[n, .., c]`, grad_output `[n, .., c]` -> grad_input `[n, .., c]`
pub fn backward<L: Activation>(
    _pass: &mut Pass<'_>,
    _parameters: &[f32],
    input: &[f32],
    output: &[f32],
    grad_output: &mut [f32],
    grad_input: Option<GradInput<'_>>,
    _grad_parameters: &mut [f32],
) {
    if let Some(GradInput { values, write }) = grad_input {
        let Layout { in_stride, out_stride } = L::LAYOUT;
        let remembered = if L::FUNCTION.slope_of_output() {
            Remembered::Output(Rows::strided(output, out_stride))
        } else {
            Remembered::Input(Rows::strided(input, in_stride))
        };
        let (grad_output, grad_input) = (Rows::strided(grad_output, out_stride), RowsMut::strided(values, in_stride));
        activation::backward(Of::<L>::IT, L::CHANNELS, remembered, grad_output, grad_input, write);
    }
}

/// [`forward`] where input and output are one.
pub fn forward_in_place<L: Activation>(_pass: &mut Pass<'_>, map: &mut [f32]) {
    activation::forward_in_place(Of::<L>::IT, L::CHANNELS, RowsMut::strided(map, L::LAYOUT.out_stride));
}

/// [`backward`] where grad_output and grad_input are one, for functions whose slope can be told from the output.
pub fn backward_in_place<L: Activation>(_pass: &mut Pass<'_>, output: &[f32], grad: &mut [f32]) {
    let stride = L::LAYOUT.out_stride;
    let remembered = Remembered::Output(Rows::strided(output, stride));
    activation::backward_in_place(Of::<L>::IT, L::CHANNELS, remembered, RowsMut::strided(grad, stride));
}
