//! A network is a layer too: a step of another network.

use super::{Cut, Network};
use crate::kernel::memory::scratch::Needs;
use crate::layer::prepare::{MadeFor, Prepared};
use crate::layer::{GradInput, Layer, Operation, Owned, Pass, step};
use crate::tensor::{Samples, SamplesMut};

// A type that is neither is told of as a layer: that it is no network either says nothing.
#[diagnostic::do_not_recommend]
impl<N: Network> Layer<N::Input> for N {
    type Output = <N as Network>::Output;
    const SAVED: usize = step::saved(N::STEPS);
    const WORKSPACE: usize = N::MEMORY.training;
    const OPERATION: Operation = Operation::Network(N::STEPS);
    const NEEDS: Needs = <N as Network>::NEEDS;
    const EVALUATION_WORKSPACE: usize = N::MEMORY.evaluation;
    const PREPARED: Prepared = <N as Network>::PREPARED;
    const PREDICTION_WORKSPACE: usize = N::MEMORY.prediction;

    fn forward(
        pass: &mut Pass<'_>,
        owned: Owned<'_>,
        input: Samples<'_, N::Input>,
        mut output: SamplesMut<'_, <N as Network>::Output>,
    ) {
        pass.inside(|pass| N::forward_steps(pass, input.len(), owned, input.values(), output.values()));
    }

    fn evaluate(
        pass: &mut Pass<'_>,
        owned: Owned<'_>,
        input: Samples<'_, N::Input>,
        mut output: SamplesMut<'_, <N as Network>::Output>,
    ) {
        pass.inside(|pass| N::evaluate(pass, input.len(), owned, input.values(), output.values()));
    }

    fn prepare(made_for: MadeFor, parameters: &[f32], state: &[f32], prepared: &mut [f32]) {
        N::prepare_steps(made_for, parameters, state, prepared);
    }

    fn predict(
        pass: &mut Pass<'_>,
        owned: Owned<'_>,
        input: Samples<'_, N::Input>,
        mut output: SamplesMut<'_, <N as Network>::Output>,
    ) {
        pass.inside(|pass| N::predict_steps(pass, input.len(), owned, input.values(), output.values()));
    }

    fn backward(
        pass: &mut Pass<'_>,
        owned: Owned<'_>,
        input: Samples<'_, N::Input>,
        output: Samples<'_, <N as Network>::Output>,
        mut grad_output: SamplesMut<'_, <N as Network>::Output>,
        mut grad_input: Option<SamplesMut<'_, N::Input>>,
        grad_parameters: &mut [f32],
    ) {
        let (samples, input, output) = (input.len(), input.values(), output.values());
        let grad_input = grad_input.as_mut().map(|grad_input| GradInput::store(grad_input.values()));
        pass.inside(|pass| {
            if let Some(cut) = pass.parts().and_then(|parts| Cut::before_all_that_trains(N::CUTS, parts)) {
                pass.behind(cut.step);
            }
            N::backward_steps(pass, samples, owned, input, output, grad_output.values(), grad_input, grad_parameters);
        });
    }
}
