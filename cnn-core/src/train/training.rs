//! Gradients of a loss by all weights of a network.

use core::fmt;

use super::Forward;
use super::pieces::{Piece, pieces};
use super::shards::{HandOn, Part, Tree};
use super::together::{Member, SideBySide};
use super::treatment::{Treatment, chosen};
use crate::Error;
use crate::kernel::memory::buffer::Buffer;
use crate::kernel::memory::chunk::{alone, in_pool, threads};
use crate::kernel::memory::scratch::Scratch;
use crate::kernel::pointwise::softmax;
use crate::kernel::rows::{Rows, RowsMut};
use crate::layer::{GradInput, Mode, Owned, Pass, Step, step};
use crate::loss::{Loss, LossMemory, take_share};
use crate::network::{Cut, Gradients, Network, is_within, no_part};
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
    pub(super) state: Buffer,
    counts: Vec<u64>,
    saved: Buffer,
    pub(super) output: Batch<N::Output>,
    grad_output: Batch<N::Output>,
    pub(super) gradients: Gradients<N>,
    scratch: Scratch,
    loss_memory: LossMemory,
    treatment: Treatment,
    /// Maps of steps before the first that is trained.
    before: Buffer,
    /// Of a step in several parts.
    pub(super) tree: Tree,
    sync_batch_norm: bool,
    pub(super) side_by_side: SideBySide<N>,
}

impl<N: Network> Training<N> {
    /// A run that has not begun. What random layers draw follows from the seed and the number of the step alone.
    pub fn new(seed: u64) -> Self {
        Self::resumed(seed, 0)
    }

    /// A run of which `step` steps are done: its random layers draw what they would have in the undisturbed one.
    ///
    /// The other things that the next step depends on are the weights, the optimizer and the place in the data: a
    /// [`Snapshot`](crate::io::Snapshot) has them all.
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
            treatment: Treatment::default(),
            before: Buffer::zeros(0),
            tree: Tree::default(),
            sync_batch_norm: false,
            side_by_side: SideBySide::default(),
        }
    }

    /// Whether batch normalizations in training mode take the statistics of all shards of a step, in all processes, and not those
    /// of their shard alone: for [`backward_shards`](Self::backward_shards) and [`backward_among`](Self::backward_among). A step
    /// is that of the whole batch then, but for rounding, as PyTorch's `SyncBatchNorm` makes it; without, it is as in PyTorch's
    /// `DistributedDataParallel`.
    ///
    /// Shards go side by side then, a thread and the memory of a batch for each, and processes wait for each other twice at
    /// each normalization. It is off at first.
    pub fn set_sync_batch_norm(&mut self, is_on: bool) {
        self.sync_batch_norm = is_on;
    }

    /// See [`set_sync_batch_norm`](Self::set_sync_batch_norm).
    pub fn sync_batch_norm(&self) -> bool {
        self.sync_batch_norm
    }

    /// Runs a part of the network as in evaluation, also where a step is one of [training](Mode::Training), or again as the step:
    /// the part by its name, as in `"layer1"` or `"backbone.bn1"`; `""` is all. Its normalizations take their running statistics
    /// then and leave them, and its dropout draws nothing: what fine-tuning wants of parts that are
    /// [frozen](Network::freeze_weights), which alone does not change the mode, as in PyTorch.
    ///
    /// # Errors
    ///
    /// [`Error::NoPart`] when no step is of that name or in it.
    pub fn set_mode(&mut self, part: &str, mode: Mode) -> Result<(), Error> {
        let is_part = chosen::<N>(|path, _| is_within(part, path));
        if !is_part.contains(&true) {
            return Err(no_part::<N>(part, step::leaves(N::STEPS).into_iter().map(|(path, _)| path)));
        }
        self.treatment.set_mode(&is_part, mode);
        Ok(())
    }

    /// [`set_mode`](Self::set_mode), of the steps of which this says so, by their names and what they are. Where it says so of
    /// none, nothing changes.
    ///
    /// ```
    /// use cnn_core::layer::Operation;
    /// use cnn_core::prelude::*;
    ///
    /// network! {
    ///     /// A classifier.
    ///     pub Net<1, 8, 8> { conv1: conv2d<4, 3>, bn1: batch_norm2d, relu, flatten, fc: linear<10> }
    /// }
    ///
    /// let mut training = Training::<Net>::new(0);
    /// training.set_mode_where(Mode::Evaluation, |_, step| matches!(step.operation, Operation::BatchNorm2d { .. }));
    /// ```
    pub fn set_mode_where(&mut self, mode: Mode, is: impl FnMut(&str, &Step) -> bool) {
        self.treatment.set_mode(&chosen::<N>(is), mode);
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
        let samples = self.begin(mode, network, input, true, input.len())?;
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
        let samples = self.begin(mode, network, input, grad_input.is_some(), input.len())?;
        let cost = N::COST.saturating_mul(3).saturating_mul(samples);
        let loss = in_pool(cost, || self.backward_in_pool(mode, network, input, loss, grad_input, None, None, None))?;
        self.end(mode, network);
        Ok(loss)
    }

    /// The loss of a part of a step, and its gradient, from the state that the network had before the step.
    pub(super) fn backward_part(
        &mut self,
        mode: Mode,
        network: &N,
        input: &Batch<N::Input>,
        loss: &impl Loss<N::Output>,
        part: &Part,
        member: Option<&Member<'_>>,
        hand_on: Option<HandOn<'_>>,
    ) -> Result<f32, Error> {
        let samples_of_statistics = member.map_or(input.len(), |member| member.samples);
        let samples = self.begin(mode, network, input, false, samples_of_statistics)?;
        let cost = N::COST.saturating_mul(3).saturating_mul(samples);
        let work = || self.backward_in_pool(mode, network, input, loss, None, Some(part), member, hand_on);
        if member.is_some_and(|member| member.is_alone) { alone(work) } else { in_pool(cost, work) }
    }

    fn backward_in_pool(
        &mut self,
        mode: Mode,
        network: &N,
        input: &Batch<N::Input>,
        loss: &impl Loss<N::Output>,
        grad_input: Option<&mut Batch<N::Input>>,
        part: Option<&Part>,
        member: Option<&Member<'_>>,
        hand_on: Option<HandOn<'_>>,
    ) -> Result<f32, Error> {
        let (samples, step) = (input.len(), self.step);
        let Parts { mut pass, mut owned, output, grad_output, gradients, loss_memory, cut, before, treatment } =
            self.parts(mode, step, network);
        pass = pass.with_first_sample(part.map_or(0, |part| part.first_sample));
        if let Some(member) = member {
            pass = pass.with_summed(member.sum);
        }
        loss_memory.shares.clear();
        if let Some(part) = part.filter(|part| part.is_of_outputs) {
            loss_memory.shares.extend_from_slice(&part.shares);
        }
        let softmax_of_loss = step::last_softmax(N::STEPS).filter(|_| loss.takes_logits());
        if let Some(last) = softmax_of_loss {
            pass = pass.with_softmax_of_loss(last);
        }
        let input = input.values();
        if let Some(cut) = cut {
            let workspace = &mut *before;
            let of_these = Owned { workspace, ..owned.reborrow() };
            N::evaluate(pass.before(cut.step), samples, of_these, input, output);
            cut.cross(samples, before, owned.workspace);
            pass.behind_left(cut.step, before);
        }
        N::forward_steps(&mut pass, samples, owned.reborrow(), input, output);
        let evaluated = match softmax_of_loss {
            None => loss.evaluate_in(Samples::new(output), SamplesMut::new(grad_output), loss_memory),
            Some(_) => loss.evaluate_logits(Samples::new(output), SamplesMut::new(grad_output)),
        };
        let evaluated = match part {
            Some(Part { shares, is_of_outputs: false, .. }) => {
                evaluated.map(|loss| take_share(loss, grad_output, shares[0]))
            }
            _ => evaluated,
        };
        let evaluated = match evaluated {
            Ok(loss) if !loss.is_finite() => Err(Error::NonFiniteLoss { step, loss }),
            evaluated => evaluated,
        };
        if evaluated.is_ok() {
            let to = grad_input.map(|batch| room(batch, samples));
            match hand_on {
                None => {
                    N::backward_steps(&mut pass, samples, owned, input, output, grad_output, to, gradients);
                    treatment.clear(gradients);
                }
                Some(hand_on) => {
                    for Piece { steps, values } in pieces::<N>(cut.map_or(0, |cut| cut.step)) {
                        let (pass, owned) = (pass.of_steps(steps.start, steps.end), owned.reborrow());
                        N::backward_steps(pass, samples, owned, input, output, grad_output, None, gradients);
                        treatment.clear(gradients);
                        hand_on(values, gradients);
                    }
                }
            }
        }
        if softmax_of_loss.is_some() {
            // The output is still logits, and nobody reads its gradient any more.
            grad_output.copy_from_slice(output);
            let channels = <N::Output as Shape>::SIZES.channels();
            softmax::forward(channels, Rows::dense(grad_output), RowsMut::dense(output));
        }
        evaluated
    }

    /// Refuses a batch that cannot be trained with, and makes room for one that can; returns its samples.
    fn begin(
        &mut self,
        mode: Mode,
        network: &N,
        input: &Batch<N::Input>,
        wants_input: bool,
        samples_of_statistics: usize,
    ) -> Result<usize, Error> {
        let samples = input.len();
        if samples == 0 {
            return Err(Error::EmptyBatch { shape: <N::Input as Shape>::SIZES });
        }
        self.follow(network, wants_input)?;
        if samples_of_statistics == 1
            && mode == Mode::Training
            && let Some((step, map)) = self.treatment.without_variance::<N>()
        {
            return Err(Error::OneValue { step, map });
        }
        self.output.resize(samples);
        self.grad_output.resize(samples);
        Ok(samples)
    }

    /// Follows what is frozen.
    pub(super) fn follow(&mut self, network: &N, wants_input: bool) -> Result<(), Error> {
        if self.treatment.follow(network, wants_input, self.gradients.values_mut()) {
            self.tree.forget();
        }
        if self.treatment.is_all_frozen() {
            return Err(Error::AllFrozen { network: N::NAME });
        }
        Ok(())
    }

    /// The network is what the step made of it, and the step counts. Returns its number.
    pub(super) fn end(&mut self, mode: Mode, network: &mut N) -> u64 {
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
        let cut = self.treatment.cut::<N>();
        if cut.is_some() {
            self.before.grow(self.output.len() * N::MEMORY.evaluation);
        }
        Parts {
            pass: Pass::new(mode, self.seed, step, &mut self.scratch).with_parts(self.treatment.parts()),
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
            cut,
            before: &mut self.before,
            treatment: &self.treatment,
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

    /// What its random layers draw by.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Which steps run as in evaluation, in the order of [`step::leaves`]; none do if there are none.
    pub(super) fn evaluates(&self) -> &[bool] {
        self.treatment.evaluates()
    }

    /// As if so many steps had been done.
    pub(super) fn go_on(&mut self, seed: u64, step: u64, evaluates: Vec<bool>, sync_batch_norm: bool) {
        (self.seed, self.step, self.sync_batch_norm) = (seed, step, sync_batch_norm);
        self.treatment.set_evaluates(evaluates);
    }

    /// At the same step of the same run.
    pub(super) fn follow_run(&mut self, other: &Self) {
        (self.seed, self.step) = (other.seed, other.step);
        if self.evaluates() != other.evaluates() {
            self.treatment.set_evaluates(other.evaluates().to_vec());
        }
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
    /// Before the first step that is trained.
    pub(super) cut: Option<&'static Cut>,
    before: &'a mut Buffer,
    pub(super) treatment: &'a Treatment,
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
