//! Gradients of a loss by all weights of a network.

use core::fmt;

use crate::Error;
use crate::kernel::memory::buffer::Buffer;
use crate::kernel::memory::chunk::{in_pool, threads};
use crate::kernel::memory::scratch::Scratch;
use crate::kernel::pointwise::softmax;
use crate::kernel::rows::{Rows, RowsMut};
use crate::layer::{Mode, Owned, Pass, step};
use crate::loss::{Loss, LossMemory};
use crate::network::{Gradients, Network};
use crate::shape::Shape;
use crate::tensor::{Batch, Samples, SamplesMut};

/// A run of training steps on a network of type `N`: it keeps the maps, the gradients, and the count that random layers
/// draw by. After the first batch, and until a larger one or a pool of more threads, a step allocates nothing on a thread of
/// rayon's pool; from `main` see [threads](crate#threads), which says how to choose them, too.
///
/// ```
/// use cnn_core::prelude::*;
///
/// network! {
///     /// A linear classifier.
///     pub Classifier<1, 4, 4> { flatten, fc: linear<3> }
/// }
///
/// let mut net = Classifier::new(0);
/// let mut training = Training::new(0);
/// let mut optimizer = Sgd::new(SgdOptions::new(0.1).momentum(0.9))?;
/// let images = Batch::from_nchw(&[0.5; 2 * 16])?;
/// let labels = Labels::new(&[0, 2])?;
///
/// let first = training.backward(Mode::Training, &mut net, &images, &CrossEntropy::new(&labels))?;
/// for _ in 0..10 {
///     training.backward(Mode::Training, &mut net, &images, &CrossEntropy::new(&labels))?;
///     optimizer.step(&mut net, training.gradients());
/// }
/// let last = training.backward(Mode::Training, &mut net, &images, &CrossEntropy::new(&labels))?;
/// assert!(last < first);
/// # Ok::<(), Error>(())
/// ```
pub struct Training<N: Network> {
    seed: u64,
    step: u64,
    workspace: Buffer,
    state: Buffer,
    counts: Vec<u64>,
    saved: Buffer,
    output: Batch<N::Output>,
    grad_output: Batch<N::Output>,
    gradients: Gradients<N>,
    scratch: Scratch,
    loss_memory: LossMemory,
}

impl<N: Network> Training<N> {
    /// A run that has not begun. What random layers draw follows from the seed and the number of the step alone.
    pub fn new(seed: u64) -> Self {
        Self::resumed(seed, 0)
    }

    /// A run of which `step` steps are done: its random layers draw what they would have in the undisturbed one.
    ///
    /// That alone does not make it go on as the undisturbed run. With the weights and their state from a file, and with
    /// [`Batches`](crate::data::Batches) and a schedule asked for the same epoch and step, plain [`Sgd`](super::Sgd) does. With
    /// momentum, and with [`Adam`](super::Adam), it goes another way, since the optimizer's running means begin anew at zero,
    /// and so does Adam's count of steps: nothing saves them yet.
    pub fn resumed(seed: u64, step: u64) -> Self {
        Self {
            seed,
            step,
            workspace: Buffer::zeros(0),
            state: Buffer::zeros(step::state(N::STEPS)),
            counts: vec![0; step::counts(N::STEPS)],
            saved: Buffer::zeros(step::saved(N::STEPS)),
            output: Batch::zeros(0),
            grad_output: Batch::zeros(0),
            gradients: Gradients::zeros(),
            scratch: Scratch::default(),
            loss_memory: LossMemory::default(),
        }
    }

    /// The loss of a batch, and its gradient by every weight, which [`gradients`](Self::gradients) holds then. In
    /// [`Mode::Training`], which it is in all but special cases, random layers draw, and the batch counts in the network's
    /// running statistics; weights change only by an optimizer.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyBatch`]; [`Error::OneValue`] of a batch normalization; what the loss says of its own data;
    /// [`Error::NonFiniteLoss`] with the number of the step.
    /// The gradients are then not those of this batch, no step is counted, and the network is as it was.
    pub fn backward(
        &mut self,
        mode: Mode,
        network: &mut N,
        input: &Batch<N::Input>,
        loss: &impl Loss<N::Output>,
    ) -> Result<f32, Error> {
        let samples = input.len();
        if samples == 0 {
            return Err(Error::EmptyBatch { shape: <N::Input as Shape>::SIZES });
        }
        if samples == 1
            && mode == Mode::Training
            && let Some((step, map)) = step::without_variance(N::STEPS)
        {
            return Err(Error::OneValue { step, map });
        }
        // The backward pass is twice the forward one: a gradient by the input and one by the weights.
        let cost = N::COST.saturating_mul(3).saturating_mul(samples);
        in_pool(cost, || self.backward_in_pool(mode, network, input, loss))
    }

    fn backward_in_pool(
        &mut self,
        mode: Mode,
        network: &mut N,
        input: &Batch<N::Input>,
        loss: &impl Loss<N::Output>,
    ) -> Result<f32, Error> {
        let samples = input.len();
        self.prepare(samples);
        // A step that fails must leave the network as it was, so it is a copy that the layers change.
        self.state.copy_from_slice(network.weights().state());
        self.counts.copy_from_slice(network.weights().counts());
        let mut pass = Pass::new(mode, self.seed, self.step, &mut self.scratch);
        let softmax_of_loss = step::last_softmax(N::STEPS).filter(|_| loss.takes_logits());
        if let Some(last) = softmax_of_loss {
            pass = pass.with_softmax_of_loss(last);
        }
        let mut owned = Owned {
            parameters: network.weights().values(),
            state: &mut self.state,
            counts: &mut self.counts,
            saved: &mut self.saved,
            workspace: &mut self.workspace,
        };
        let (input, output, grad_output) = (input.values(), self.output.values_mut(), self.grad_output.values_mut());
        N::forward_steps(&mut pass, samples, owned.reborrow(), input, output);
        let evaluated = match softmax_of_loss {
            None => loss.evaluate_in(Samples::new(output), SamplesMut::new(grad_output), &mut self.loss_memory),
            Some(_) => loss.evaluate_logits(Samples::new(output), SamplesMut::new(grad_output)),
        };
        let evaluated = match evaluated {
            Ok(loss) if !loss.is_finite() => Err(Error::NonFiniteLoss { step: self.step, loss }),
            evaluated => evaluated,
        };
        if evaluated.is_ok() {
            let gradients = self.gradients.values_mut();
            N::backward_steps(&mut pass, samples, owned, input, output, grad_output, None, gradients);
        }
        if softmax_of_loss.is_some() {
            // The output is still logits, and nobody reads its gradient any more.
            grad_output.copy_from_slice(output);
            let channels = <N::Output as Shape>::SIZES.channels();
            softmax::forward(channels, Rows::dense(grad_output), RowsMut::dense(output));
        }
        let loss = evaluated?;
        // Where there is none, nothing is changed that a clone may share.
        if mode == Mode::Training && !(self.state.is_empty() && self.counts.is_empty()) {
            network.weights_mut().state_mut().copy_from_slice(&self.state);
            network.weights_mut().counts_mut().copy_from_slice(&self.counts);
        }
        self.step = self.step.wrapping_add(1);
        Ok(loss)
    }

    fn prepare(&mut self, samples: usize) {
        self.workspace.grow(samples * N::MEMORY.training);
        self.output.resize(samples);
        self.grad_output.resize(samples);
        self.scratch.prepare(N::NEEDS, threads());
    }

    /// The gradient of the last loss by every weight.
    pub fn gradients(&self) -> &Gradients<N> {
        &self.gradients
    }

    /// See [`gradients`](Self::gradients); to be clipped, or summed across machines.
    pub fn gradients_mut(&mut self) -> &mut Gradients<N> {
        &mut self.gradients
    }

    /// What the network made of the last batch.
    pub fn output(&self) -> &Batch<N::Output> {
        &self.output
    }

    /// How many gradients were taken, those of a run before [`resumed`](Self::resumed) included; after `u64::MAX` comes 0.
    pub fn step(&self) -> u64 {
        self.step
    }
}

impl<N: Network> fmt::Debug for Training<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Training<{}>(seed {}, step {})", N::NAME, self.seed, self.step)
    }
}
