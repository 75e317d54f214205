//! A forward pass that waits for its gradient.

use core::fmt;

use super::Training;
use super::training::{Parts, room};
use crate::Error;
use crate::kernel::memory::chunk::in_pool;
use crate::layer::Mode;
use crate::network::Network;
use crate::tensor::Batch;

/// What a network made of a batch in a training run, before anybody says what is to become of it: the gradient comes from
/// elsewhere, as from another network that sees the output. Until then the weights stay as they are.
///
/// ```
/// use cnn_core::prelude::*;
///
/// network! {
///     /// Makes two numbers of one.
///     pub Maker<1> { linear<8>, tanh, linear<2> }
///
///     /// Finds another number in the two.
///     pub Reader<2> { linear<8>, tanh, linear<1> }
/// }
///
/// let (mut maker, mut reader) = (Maker::new(0), Reader::new(1));
/// let (mut making, mut reading) = (Training::new(0), Training::new(0));
/// let (mut of_maker, mut of_reader) = (Sgd::new(SgdOptions::new(0.05))?, Sgd::new(SgdOptions::new(0.05))?);
/// let numbers = Batch::from_nchw(&[-1.0, 0.0, 1.0])?;
/// let squares = numbers.map(|x: f32| x * x);
/// let mut gradient = Batch::zeros(0);
/// let mut losses = Vec::new();
/// for _ in 0..500 {
///     let made = making.forward(Mode::Training, &mut maker, &numbers)?;
///     let loss = MeanSquaredError::new(&squares);
///     losses.push(reading.backward_to(Mode::Training, &mut reader, made.output(), &loss, &mut gradient)?);
///     made.backward_from(&gradient)?;
///     of_maker.step(&mut maker, making.gradients());
///     of_reader.step(&mut reader, reading.gradients());
/// }
/// assert!(losses[499] < 0.01 * losses[0]);
/// # Ok::<(), Error>(())
/// ```
#[must_use = "it is for its output, and to go backwards from the gradient of that"]
pub struct Forward<'a, N: Network> {
    pub(super) training: &'a mut Training<N>,
    pub(super) network: &'a N,
    pub(super) input: &'a Batch<N::Input>,
    pub(super) mode: Mode,
    pub(super) step: u64,
}

impl<N: Network> Forward<'_, N> {
    /// What the network made.
    pub fn output(&self) -> &Batch<N::Output> {
        &self.training.output
    }

    /// The gradient by every weight, which [`Training::gradients`] holds then, of whatever has this gradient by the output.
    ///
    /// # Errors
    ///
    /// [`Error::Samples`] when it is of another number of samples; [`Error::AllFrozen`] when no weight is trained. The gradients
    /// are then as they were.
    pub fn backward_from(self, grad_output: &Batch<N::Output>) -> Result<(), Error> {
        self.backward(grad_output, None)
    }

    /// The same with the gradient by every value of the input, which becomes `grad_input`.
    ///
    /// # Errors
    ///
    /// As [`backward_from`](Self::backward_from); `grad_input` is then as it was.
    pub fn backward_from_to(
        self,
        grad_output: &Batch<N::Output>,
        grad_input: &mut Batch<N::Input>,
    ) -> Result<(), Error> {
        self.backward(grad_output, Some(grad_input))
    }

    fn backward(self, from: &Batch<N::Output>, to: Option<&mut Batch<N::Input>>) -> Result<(), Error> {
        let Self { training, network, input, mode, step } = self;
        let samples = input.len();
        if from.len() != samples {
            return Err(Error::Samples { expected: samples, found: from.len() });
        }
        training.follow(network, to.is_some())?;
        in_pool(N::COST.saturating_mul(2).saturating_mul(samples), || {
            let Parts { mut pass, owned, output, grad_output, gradients, cut, treatment, .. } =
                training.same_parts(mode, step, network);
            if let Some(cut) = cut {
                pass.behind(cut.step);
            }
            grad_output.copy_from_slice(from.values());
            let to = to.map(|batch| room(batch, samples));
            N::backward_steps(&mut pass, samples, owned, input.values(), output, grad_output, to, gradients);
            treatment.clear(gradients);
        });
        Ok(())
    }
}

impl<N: Network> fmt::Debug for Forward<'_, N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Forward<{}>({} samples, step {})", N::NAME, self.input.len(), self.step)
    }
}
