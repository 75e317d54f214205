//! Layers of the user's own.

use super::prepare::{MadeFor, Prepared, lines};
use super::{Operation, Parameter, Pass};
use crate::kernel::memory::buffer::{split, split_ref};
use crate::kernel::memory::scratch::Needs;
use crate::shape::{Shape, Sizes};
use crate::tensor::{Samples, SamplesMut};

/// A layer that takes maps of shape `In`. Implement it for a type of your own, and name the type as a step of a
/// network.
///
/// ```
/// use cnn_core::prelude::*;
/// use cnn_core::layer::{Initial, Owned, Parameter, Pass};
/// use cnn_core::tensor::{Samples, SamplesMut};
///
/// /// A trained factor for each channel.
/// pub struct Scale;
///
/// impl<const C: usize, const H: usize, const W: usize> Layer<Chw<C, H, W>> for Scale {
///     type Output = Chw<C, H, W>;
///     const WEIGHTS: &'static [Parameter] = &[Parameter::vector("weight", C, Initial::Constant(1.0))];
///
///     fn forward(
///         _pass: &mut Pass<'_>,
///         owned: Owned<'_>,
///         input: Samples<'_, Chw<C, H, W>>,
///         mut output: SamplesMut<'_, Self::Output>,
///     ) {
///         let weight = owned.parameters;
///         // Channels are last: pixel after pixel, each with its `C` channels.
///         for (from, to) in input.values().chunks_exact(C).zip(output.values().chunks_exact_mut(C)) {
///             for channel in 0..C {
///                 to[channel] = weight[channel] * from[channel];
///             }
///         }
///     }
///
///     fn backward(
///         _pass: &mut Pass<'_>,
///         owned: Owned<'_>,
///         input: Samples<'_, Chw<C, H, W>>,
///         _output: Samples<'_, Self::Output>,
///         mut grad_output: SamplesMut<'_, Self::Output>,
///         grad_input: Option<SamplesMut<'_, Chw<C, H, W>>>,
///         grad_weight: &mut [f32],
///     ) {
///         let weight = owned.parameters;
///         for (from, grad) in input.values().chunks_exact(C).zip(grad_output.values().chunks_exact(C)) {
///             for channel in 0..C {
///                 grad_weight[channel] += grad[channel] * from[channel];
///             }
///         }
///         if let Some(mut grad_input) = grad_input {
///             for (grad, to) in grad_output.values().chunks_exact(C).zip(grad_input.values().chunks_exact_mut(C)) {
///                 for channel in 0..C {
///                     to[channel] = weight[channel] * grad[channel];
///                 }
///             }
///         }
///     }
/// }
///
/// network! {
///     /// A convolution whose channels are scaled.
///     pub Scaled<1, 28, 28> {
///         conv: conv2d<8, 3>,
///         scale: Scale,
///         adaptive_avg_pool2d<1>, flatten,
///         fc: linear<10>,
///     }
/// }
/// assert_eq!(Scaled::PARAMETERS, (8 * 9 + 8) + 8 + (8 * 10 + 10));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not take the map `{In}`",
    label = "this step gets `{In}`",
    note = "implement `Layer<{In}>` for it, or change the steps before it"
)]
pub trait Layer<In: Shape> {
    /// The shape that it makes of a sample.
    type Output: Shape;
    /// Its trainable tensors. Their values are handed to both passes one after the other, in this order.
    const WEIGHTS: &'static [Parameter] = &[];
    /// Its tensors that are kept in files and not trained, such as running statistics; handed on in the same way, numbers
    /// and counts ([`Parameter::count`]) apart.
    const STATE: &'static [Parameter] = &[];
    /// Values per batch that the forward pass keeps for the backward pass.
    const SAVED: usize = 0;
    /// Values per sample that the forward pass keeps for the backward pass.
    const WORKSPACE: usize = 0;

    /// Writes the whole of `output`. In evaluation it leaves its state as it is.
    fn forward(pass: &mut Pass<'_>, owned: Owned<'_>, input: Samples<'_, In>, output: SamplesMut<'_, Self::Output>);

    /// Adds to `grad_parameters`, which is zeros, and writes the whole of `grad_input` if it is wanted. What it owns is as
    /// the forward pass left it, and nobody reads `grad_output` after it.
    fn backward(
        pass: &mut Pass<'_>,
        owned: Owned<'_>,
        input: Samples<'_, In>,
        output: Samples<'_, Self::Output>,
        grad_output: SamplesMut<'_, Self::Output>,
        grad_input: Option<SamplesMut<'_, In>>,
        grad_parameters: &mut [f32],
    );

    /// The layer as data; a network is its steps.
    #[doc(hidden)]
    const OPERATION: Operation =
        Operation::Custom { parameters: Self::WEIGHTS, state: Self::STATE, saved: Self::SAVED };

    /// The scratch memory that its loops take: none, unless it is a network.
    #[doc(hidden)]
    const NEEDS: Needs = Needs::NONE;

    /// [`WORKSPACE`](Self::WORKSPACE) of [`evaluate`](Self::evaluate); a network needs less where nothing is kept.
    #[doc(hidden)]
    const EVALUATION_WORKSPACE: usize = Self::WORKSPACE;

    /// [`forward`](Self::forward) where no backward pass follows.
    #[doc(hidden)]
    fn evaluate(pass: &mut Pass<'_>, owned: Owned<'_>, input: Samples<'_, In>, output: SamplesMut<'_, Self::Output>) {
        Self::forward(pass, owned, input, output);
    }

    /// What a predictor has of it: its weights and its state as they are, and memory for a copy of the state, as it may write
    /// to that.
    #[doc(hidden)]
    const PREPARED: Prepared = {
        let state = Self::OPERATION.state_count();
        Prepared {
            values: lines(Self::OPERATION.parameter_count().saturating_add(state)),
            saved: lines(state.saturating_add(Self::SAVED)),
            needs: Self::NEEDS,
            // It may look at the batch.
            by_sample: false,
        }
    };

    /// [`WORKSPACE`](Self::WORKSPACE) of [`predict`](Self::predict).
    #[doc(hidden)]
    const PREDICTION_WORKSPACE: usize = Self::WORKSPACE;

    /// Makes of parameters and state what [`predict`](Self::predict) gets.
    #[doc(hidden)]
    fn prepare(_made_for: MadeFor, parameters: &[f32], state: &[f32], prepared: &mut [f32]) {
        let [to_parameters, to_state] = split(prepared, [parameters.len(), state.len()]);
        to_parameters.copy_from_slice(parameters);
        to_state.copy_from_slice(state);
    }

    /// [`evaluate`](Self::evaluate) with what is prepared in the place of the parameters, and no state.
    #[doc(hidden)]
    fn predict(pass: &mut Pass<'_>, owned: Owned<'_>, input: Samples<'_, In>, output: SamplesMut<'_, Self::Output>) {
        let lens = [Self::OPERATION.parameter_count(), Self::OPERATION.state_count()];
        let [parameters, frozen] = split_ref(owned.parameters, lens);
        let [state, saved] = split(owned.saved, [frozen.len(), Self::SAVED]);
        state.copy_from_slice(frozen);
        Self::evaluate(pass, Owned { parameters, state, saved, ..owned }, input, output);
    }
}

/// What belongs to one layer of a network.
#[derive(Debug)]
pub struct Owned<'a> {
    /// Its trainable values.
    pub parameters: &'a [f32],
    /// Its values that are not trained, which a forward pass in training may change.
    pub state: &'a mut [f32],
    /// Its counts, such as `num_batches_tracked`, which a forward pass in training may change.
    pub counts: &'a mut [u64],
    /// What the forward pass keeps of a batch for the backward pass.
    pub saved: &'a mut [f32],
    /// What the forward pass keeps of every sample for the backward pass.
    pub workspace: &'a mut [f32],
}

impl Owned<'_> {
    /// Lends it out, and has it again afterwards.
    pub fn reborrow(&mut self) -> Owned<'_> {
        let Self { parameters, state, counts, saved, workspace } = self;
        Owned { parameters, state, counts, saved, workspace }
    }
}

/// A user's layer, or a network, on the map that it gets, as a value. Expanded code makes one constant of it per step: the
/// only place where the layer can fail to take its map, so that this is one error.
#[derive(Clone, Copy, Debug)]
pub struct Custom {
    /// The sizes of the map that it makes.
    pub sizes: Sizes,
    /// The layer as data.
    pub operation: Operation,
    /// The scratch memory that its loops take.
    pub needs: Needs,
    /// Values per sample that the forward pass keeps for the backward pass.
    pub workspace: usize,
    /// The same where no backward pass follows.
    pub evaluation_workspace: usize,
    /// input `[n, In]` -> output `[n, Output]`
    pub forward: Forward,
    /// The same where no backward pass follows.
    pub evaluate: Forward,
    /// input `[n, In]`, grad_output `[n, Output]` -> grad_input `[n, In]`, grad_parameters
    pub backward: Backward,
    /// What a predictor has of it.
    pub prepared: Prepared,
    /// Values per sample that it works in there.
    pub prediction_workspace: usize,
    /// parameters, state -> what is prepared
    pub prepare: Prepare,
    /// input `[n, In]` -> output `[n, Output]`, with what is prepared in the place of the parameters
    pub predict: Forward,
}

/// `(pass, owned, input, output)`
pub type Forward = fn(&mut Pass<'_>, Owned<'_>, &[f32], &mut [f32]);

/// `(pass, owned, input, output, grad_output, grad_input, grad_parameters)`
pub type Backward = fn(&mut Pass<'_>, Owned<'_>, &[f32], &[f32], &mut [f32], Option<&mut [f32]>, &mut [f32]);

/// `(made_for, parameters, state, prepared)`
pub type Prepare = fn(MadeFor, &[f32], &[f32], &mut [f32]);

impl Custom {
    /// Layer `L` on maps of shape `In`.
    pub const fn of<L: Layer<In>, In: Shape>() -> Self {
        Self {
            sizes: <L::Output as Shape>::SIZES,
            operation: L::OPERATION,
            needs: L::NEEDS,
            workspace: L::WORKSPACE,
            evaluation_workspace: L::EVALUATION_WORKSPACE,
            forward: forward::<L, In>,
            evaluate: evaluate::<L, In>,
            backward: backward::<L, In>,
            prepared: L::PREPARED,
            prediction_workspace: L::PREDICTION_WORKSPACE,
            prepare: L::prepare,
            predict: predict::<L, In>,
        }
    }
}

fn forward<L: Layer<In>, In: Shape>(pass: &mut Pass<'_>, owned: Owned<'_>, input: &[f32], output: &mut [f32]) {
    L::forward(pass, owned, Samples::new(input), SamplesMut::new(output));
}

fn evaluate<L: Layer<In>, In: Shape>(pass: &mut Pass<'_>, owned: Owned<'_>, input: &[f32], output: &mut [f32]) {
    L::evaluate(pass, owned, Samples::new(input), SamplesMut::new(output));
}

fn predict<L: Layer<In>, In: Shape>(pass: &mut Pass<'_>, owned: Owned<'_>, input: &[f32], output: &mut [f32]) {
    L::predict(pass, owned, Samples::new(input), SamplesMut::new(output));
}

fn backward<L: Layer<In>, In: Shape>(
    pass: &mut Pass<'_>,
    owned: Owned<'_>,
    input: &[f32],
    output: &[f32],
    grad_output: &mut [f32],
    grad_input: Option<&mut [f32]>,
    grad_parameters: &mut [f32],
) {
    grad_parameters.fill(0.0);
    let (input, output, grad_output) = (Samples::new(input), Samples::new(output), SamplesMut::new(grad_output));
    L::backward(pass, owned, input, output, grad_output, grad_input.map(SamplesMut::new), grad_parameters);
}
