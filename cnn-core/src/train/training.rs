//! Gradients of a loss by all weights of a network.

use core::fmt;

use super::Forward;
use crate::Error;
use crate::kernel::memory::buffer::Buffer;
use crate::kernel::memory::chunk::{in_pool, threads};
use crate::kernel::memory::scratch::Scratch;
use crate::kernel::pointwise::softmax;
use crate::kernel::rows::{Rows, RowsMut};
use crate::layer::{GradInput, Mode, Owned, Pass, step};
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
    pub(super) output: Batch<N::Output>,
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
    /// a [`Loader`](crate::data::Loader) and a schedule asked for the same epoch and step, plain [`Sgd`](super::Sgd) does. With
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
        self.backward_of_loss(mode, network, input, loss, None)
    }

    /// [`backward`](Self::backward), with the gradient by every value of the input too, which becomes `grad_input`: what a
    /// network before this one learns from, see [`Forward`].
    ///
    /// # Errors
    ///
    /// As [`backward`](Self::backward); `grad_input` is then of no use.
    pub fn backward_to(
        &mut self,
        mode: Mode,
        network: &mut N,
        input: &Batch<N::Input>,
        loss: &impl Loss<N::Output>,
        grad_input: &mut Batch<N::Input>,
    ) -> Result<f32, Error> {
        self.backward_of_loss(mode, network, input, loss, Some(grad_input))
    }

    /// What the network makes of a batch, as [`backward`](Self::backward) makes it, and all that it takes to go
    /// [backwards](Forward::backward_from) from a gradient that comes from elsewhere.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyBatch`]; [`Error::OneValue`] of a batch normalization. No step is counted, and the network is as it was.
    pub fn forward<'a>(
        &'a mut self,
        mode: Mode,
        network: &'a mut N,
        input: &'a Batch<N::Input>,
    ) -> Result<Forward<'a, N>, Error> {
        let samples = self.begin(mode, input)?;
        in_pool(N::COST.saturating_mul(samples), || {
            let Parts { mut pass, owned, output, .. } = self.parts(mode, self.step, network);
            N::forward_steps(&mut pass, samples, owned, input.values(), output);
        });
        let step = self.end(mode, network);
        Ok(Forward { training: self, network, input, mode, step })
    }

    fn backward_of_loss(
        &mut self,
        mode: Mode,
        network: &mut N,
        input: &Batch<N::Input>,
        loss: &impl Loss<N::Output>,
        grad_input: Option<&mut Batch<N::Input>>,
    ) -> Result<f32, Error> {
        // The backward pass is twice the forward one: a gradient by the input and one by the weights.
        let samples = self.begin(mode, input)?;
        let cost = N::COST.saturating_mul(3).saturating_mul(samples);
        in_pool(cost, || self.backward_in_pool(mode, network, input, loss, grad_input))
    }

    fn backward_in_pool(
        &mut self,
        mode: Mode,
        network: &mut N,
        input: &Batch<N::Input>,
        loss: &impl Loss<N::Output>,
        grad_input: Option<&mut Batch<N::Input>>,
    ) -> Result<f32, Error> {
        let (samples, step) = (input.len(), self.step);
        let Parts { mut pass, mut owned, output, grad_output, gradients, loss_memory } =
            self.parts(mode, step, network);
        let softmax_of_loss = step::last_softmax(N::STEPS).filter(|_| loss.takes_logits());
        if let Some(last) = softmax_of_loss {
            pass = pass.with_softmax_of_loss(last);
        }
        let input = input.values();
        N::forward_steps(&mut pass, samples, owned.reborrow(), input, output);
        let evaluated = match softmax_of_loss {
            None => loss.evaluate_in(Samples::new(output), SamplesMut::new(grad_output), loss_memory),
            Some(_) => loss.evaluate_logits(Samples::new(output), SamplesMut::new(grad_output)),
        };
        let evaluated = match evaluated {
            Ok(loss) if !loss.is_finite() => Err(Error::NonFiniteLoss { step, loss }),
            evaluated => evaluated,
        };
        if evaluated.is_ok() {
            let to = grad_input.map(|batch| room(batch, samples));
            N::backward_steps(&mut pass, samples, owned, input, output, grad_output, to, gradients);
        }
        if softmax_of_loss.is_some() {
            // The output is still logits, and nobody reads its gradient any more.
            grad_output.copy_from_slice(output);
            let channels = <N::Output as Shape>::SIZES.channels();
            softmax::forward(channels, Rows::dense(grad_output), RowsMut::dense(output));
        }
        let loss = evaluated?;
        self.end(mode, network);
        Ok(loss)
    }

    /// Refuses a batch that cannot be trained with, and makes room for one that can; returns its samples.
    fn begin(&mut self, mode: Mode, input: &Batch<N::Input>) -> Result<usize, Error> {
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
        self.output.resize(samples);
        self.grad_output.resize(samples);
        Ok(samples)
    }

    /// The network is what the step made of it, and the step counts. Returns its number.
    fn end(&mut self, mode: Mode, network: &mut N) -> u64 {
        // Where there is none, nothing is changed that a clone may share.
        if mode == Mode::Training && !(self.state.is_empty() && self.counts.is_empty()) {
            network.weights_mut().state_mut().copy_from_slice(&self.state);
            network.weights_mut().counts_mut().copy_from_slice(&self.counts);
        }
        let step = self.step;
        self.step = step.wrapping_add(1);
        step
    }

    /// What a pass takes, with the state of the network as it is.
    fn parts<'a>(&'a mut self, mode: Mode, step: u64, network: &'a N) -> Parts<'a> {
        // A step that fails must leave the network as it was, so it is a copy that the layers change.
        self.state.copy_from_slice(network.weights().state());
        self.counts.copy_from_slice(network.weights().counts());
        self.same_parts(mode, step, network)
    }

    /// The same with the state as the pass before left it.
    pub(super) fn same_parts<'a>(&'a mut self, mode: Mode, step: u64, network: &'a N) -> Parts<'a> {
        self.workspace.grow(self.output.len() * N::MEMORY.training);
        // Of the pool that the pass is in.
        self.scratch.prepare(N::NEEDS, threads());
        Parts {
            pass: Pass::new(mode, self.seed, step, &mut self.scratch),
            owned: Owned {
                parameters: network.weights().values(),
                state: &mut self.state,
                counts: &mut self.counts,
                saved: &mut self.saved,
                workspace: &mut self.workspace,
            },
            output: self.output.values_mut(),
            grad_output: self.grad_output.values_mut(),
            gradients: self.gradients.values_mut(),
            loss_memory: &mut self.loss_memory,
        }
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

    /// How many batches went through, those of a run before [`resumed`](Self::resumed) included; after `u64::MAX` comes 0.
    pub fn step(&self) -> u64 {
        self.step
    }
}

/// What a pass takes of a run.
pub(super) struct Parts<'a> {
    pub(super) pass: Pass<'a>,
    pub(super) owned: Owned<'a>,
    pub(super) output: &'a mut [f32],
    pub(super) grad_output: &'a mut [f32],
    pub(super) gradients: &'a mut [f32],
    loss_memory: &'a mut LossMemory,
}

/// Where the gradient by the input goes.
pub(super) fn room<S: Shape>(batch: &mut Batch<S>, samples: usize) -> GradInput<'_> {
    batch.resize(samples);
    GradInput::store(batch.values_mut())
}

impl<N: Network> fmt::Debug for Training<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Training<{}>(seed {}, step {})", N::NAME, self.seed, self.step)
    }
}
