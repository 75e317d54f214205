//! A training step of a batch in parts: one after the other, with gradients that are added in a fixed tree.

use core::ops::Range;

use crate::Error;
use crate::kernel::memory::buffer::Buffer;
use crate::layer::{Mode, share};
use crate::loss::{Divisors, Loss};
use crate::network::Network;
use crate::shape::Shape;
use crate::tensor::Batch;
use crate::train::Training;

/// What is added up of some shards that lie one behind the other.
pub(super) struct Node {
    /// How often two were added for it: it is of two to the power of that many shards, or of the last ones.
    level: u32,
    gradients: Buffer,
    /// What each made of the network's state, from what it was before the step.
    state: Buffer,
}

/// Sums of shards, the earlier ones first: as the digits of a number that counts them, so that each is added with what lies
/// beside it, in whatever order of levels.
#[derive(Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// Memory that was one.
    spare: Vec<[Buffer; 2]>,
}

impl Tree {
    /// Forgets memory that may hold what is frozen now.
    pub(super) fn forget(&mut self) {
        self.nodes.clear();
        self.spare.clear();
    }

    pub(super) fn clear(&mut self) {
        self.spare.extend(self.nodes.drain(..).map(|node| [node.gradients, node.state]));
    }

    /// Adds the next shard, whose gradients are exchanged for memory to write the following ones to.
    pub(super) fn push(&mut self, gradients: &mut Buffer, state: &[f32]) {
        let lens = [gradients.len(), state.len()];
        let [mut new, mut new_state] = self.spare.pop().unwrap_or_else(|| lens.map(Buffer::zeros));
        core::mem::swap(&mut new, gradients);
        new_state.copy_from_slice(state);
        self.nodes.push(Node { level: 0, gradients: new, state: new_state });
        while let [.., left, right] = &self.nodes[..]
            && left.level == right.level
        {
            self.join();
        }
    }

    /// The sum of some gradients of all that is there, and of those of one more shard.
    pub(super) fn gradients_with(&self, values: Range<usize>, last: &[f32]) -> Vec<f32> {
        sum_with(self.nodes.iter().map(|node| &node.gradients[values.clone()]), last)
    }

    /// The same of the states.
    pub(super) fn state_with(&self, last: &[f32]) -> Vec<f32> {
        sum_with(self.nodes.iter().map(|node| &node.state[..]), last)
    }

    /// Adds the last to the one before.
    fn join(&mut self) {
        let (Some(right), Some(left)) = (self.nodes.pop(), self.nodes.last_mut()) else { return };
        share::add(&right.gradients, &mut left.gradients);
        left.state.iter_mut().zip(&right.state[..]).for_each(|(left, right)| *left += right);
        left.level += 1;
        self.spare.push([right.gradients, right.state]);
    }

    /// The sum of all, and of their states: `gradients` and `state`.
    pub(super) fn finish(&mut self, gradients: &mut Buffer, state: &mut [f32]) {
        while self.nodes.len() > 1 {
            self.join();
        }
        let Some(mut root) = self.nodes.pop() else { return };
        core::mem::swap(gradients, &mut root.gradients);
        state.copy_from_slice(&root.state);
        self.spare.push([root.gradients, root.state]);
    }
}

/// The sum of what lies in a tree and of one more, in its order.
fn sum_with<'a>(nodes: impl DoubleEndedIterator<Item = &'a [f32]>, last: &[f32]) -> Vec<f32> {
    let mut sum = last.to_vec();
    for node in nodes.rev() {
        sum.iter_mut().zip(node).for_each(|(sum, left)| *sum += left);
    }
    sum
}

/// What is done with gradients as soon as some of them are there: those of a range of values, of all.
pub(super) type HandOn<'a> = &'a mut (dyn FnMut(Range<usize>, &[f32]) + Send);

/// Which part of a step it is.
pub(super) struct Part {
    /// The samples before its own.
    pub(super) first_sample: usize,
    /// The share of the whole that its loss is, or those of several outputs.
    pub(super) shares: Vec<f64>,
    pub(super) is_of_outputs: bool,
}

/// The parts of a whole whose means are divided by `totals`, of which the first shard has so many samples before it.
pub(super) fn parts<S: Shape, L>(
    samples_before: usize,
    shards: &[(&Batch<S>, L)],
    divisors: &[Divisors],
    totals: &[f64],
) -> Vec<Part> {
    let mut first_sample = samples_before;
    let part = |((input, _), divisors): (&(&Batch<S>, L), &Divisors)| {
        // A sum is part of one as it is. A share is not a number where nothing counts anywhere.
        let share = |(weight, total): (&Option<f64>, &f64)| weight.map_or(1.0, |weight| weight / total);
        let shares = divisors.of.iter().zip(totals).map(share).collect();
        let part = Part { first_sample, shares, is_of_outputs: divisors.is_of_outputs };
        first_sample += input.len();
        part
    };
    shards.iter().zip(divisors).map(part).collect()
}

impl<N: Network> Training<N> {
    /// [`backward`](Self::backward) of a batch in several parts, the shards, each with its loss: one after the other, so that it
    /// takes no more memory than the largest. The loss is that of the whole, and so is the gradient: a mean is divided by all
    /// samples, or by the weights of all labels that count, not by those of each shard.
    ///
    /// Gradients are added in a fixed tree, the first to the second, the third to the fourth, and those two sums: the same shards
    /// make the same bits on any number of threads, and of machines. Random layers draw by the place of a sample in the whole. So
    /// all is as in the whole batch, but for rounding, where no layer looks at the batch. A batch normalization looks at its shard,
    /// and its running statistics move once in the step, by the mean of what the shards would make of them; or at all of them,
    /// see [`set_sync_batch_norm`](Self::set_sync_batch_norm).
    ///
    /// ```
    /// use cnn_core::prelude::*;
    ///
    /// network! {
    ///     /// A linear classifier.
    ///     pub Classifier<1, 4, 4> { flatten, fc: linear<3> }
    /// }
    ///
    /// let (mut net, mut training) = (Classifier::new(0), Training::new(0));
    /// let images: Vec<_> = [0.5, 0.25].iter().map(|value| Batch::zeros(2).map(|_: f32| *value)).collect();
    /// let labels = [Labels::new(&[0, 2])?, Labels::new(&[1, 1])?];
    /// let shards: Vec<_> = images.iter().zip(labels.iter().map(CrossEntropy::new)).collect();
    /// let loss = training.backward_shards(Mode::Training, &mut net, &shards)?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`backward`](Self::backward), and [`Error::EmptyBatch`] of no shards.
    pub fn backward_shards<L: Loss<N::Output>>(
        &mut self,
        mode: Mode,
        network: &mut N,
        shards: &[(&Batch<N::Input>, L)],
    ) -> Result<f32, Error> {
        if shards.is_empty() {
            return Err(Error::EmptyBatch { shape: <N::Input as Shape>::SIZES });
        }
        let divisors: Vec<_> = shards.iter().map(|(input, loss)| loss.divisors(input.len())).collect();
        let parts = parts(0, shards, &divisors, &totals(&divisors));
        if self.sync_batch_norm() {
            let samples = shards.iter().map(|(input, _)| input.len()).sum();
            let loss = self.backward_together(mode, network, shards, &parts, samples, None)?;
            self.end(mode, network);
            return Ok(loss as f32);
        }
        self.tree.clear();
        let mut loss_of_all = 0.0;
        for ((input, loss), part) in shards.iter().zip(&parts) {
            loss_of_all += f64::from(self.backward_part(mode, network, input, loss, part, None, None)?);
            self.tree.push(self.gradients.buffer_mut(), &self.state);
        }
        self.tree.finish(self.gradients.buffer_mut(), &mut self.state);
        if shards.len() > 1 {
            let count = shards.len() as f32;
            self.state.iter_mut().for_each(|value| *value /= count);
        }
        self.end(mode, network);
        Ok(loss_of_all as f32)
    }
}

/// What the mean of each loss is divided by in the whole.
pub(super) fn totals(divisors: &[Divisors]) -> Vec<f64> {
    let of = |index: usize| divisors.iter().filter_map(|divisors| divisors.of[index]).sum();
    (0..divisors.first().map_or(0, |divisors| divisors.of.len())).map(of).collect()
}
