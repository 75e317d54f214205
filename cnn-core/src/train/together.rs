//! Shards of a step that go forwards and backwards side by side, so that normalizations take the statistics of all of them.

use core::ops::Range;
use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::processes::{Processes, sum_in_tree};
use super::shards::Part;
use super::{Training, shards::HandOn};
use crate::Error;
use crate::layer::Mode;
use crate::loss::Loss;
use crate::network::Network;
use crate::tensor::Batch;

/// What shards that go side by side take beside the memory of one.
pub(super) struct SideBySide<N: Network> {
    /// Of all shards but the last.
    trainings: Vec<Training<N>>,
    /// Threads of each shard, where there are more than shards.
    pools: Vec<ThreadPool>,
}

impl<N: Network> Default for SideBySide<N> {
    fn default() -> Self {
        Self { trainings: Vec::new(), pools: Vec::new() }
    }
}

impl<N: Network> SideBySide<N> {
    /// As many as shards, each with its share of the threads; results do not depend on them. Shards wait for each other, so
    /// none may run on a thread that another one waits for, in other processes neither, which may be threads of this one.
    fn prepare(&mut self, shards: usize, is_waited_for: bool) {
        self.trainings.resize_with(shards - 1, || Training::new(0));
        let each = rayon::current_num_threads() / shards;
        let is_as_before = self.pools.len() == shards && self.pools[0].current_num_threads() == each;
        if each < 2 || !is_waited_for {
            self.pools.clear();
        } else if !is_as_before {
            let pools = (0..shards).map(|_| ThreadPoolBuilder::new().num_threads(each).build().ok());
            self.pools = pools.collect::<Option<_>>().unwrap_or_default();
        }
    }
}

/// What a shard has to do with the others of its step.
pub(super) struct Member<'a> {
    /// Makes numbers the sum of those of all shards.
    pub(super) sum: &'a (dyn Fn(&mut [f64]) + Sync),
    /// How many samples statistics are of.
    pub(super) samples: usize,
    /// Whether its loops stay on its thread.
    pub(super) is_alone: bool,
}

/// Where the shards of a process meet, and those of other processes.
struct Meeting<'a> {
    others: Option<&'a dyn Processes>,
    state: Mutex<State>,
    turn: Condvar,
}

#[derive(Default)]
struct State {
    /// What each shard gave to the sum that comes next.
    given: Vec<Option<Vec<f64>>>,
    sum: Vec<f64>,
    rounds: u64,
    /// Gradients of each shard that not all shards have yet.
    pieces: Vec<VecDeque<(Range<usize>, Vec<f32>)>>,
    begun: Vec<Range<usize>>,
    ended: Vec<Vec<f32>>,
    /// Whether there is nothing to wait for any more.
    is_over: bool,
    /// What went wrong, and in which shard.
    failed: Option<(usize, Error)>,
}

impl State {
    fn fail(&mut self, shard: usize, error: Error) {
        self.is_over = true;
        if self.failed.as_ref().is_none_or(|(other, _)| shard < *other) {
            self.failed = Some((shard, error));
        }
    }

    /// Waits for all sums that were begun.
    fn end_sums(&mut self, others: &dyn Processes) -> Result<(), Error> {
        while self.ended.len() < self.begun.len() {
            self.ended.push(others.end_sum()?);
        }
        Ok(())
    }

    /// The sum of what all shards of all processes gave. Gradients that are under way come before it, in all processes.
    fn sum_of_all(&mut self, others: Option<&dyn Processes>) -> Result<Vec<f64>, Error> {
        let own = sum_in_tree(self.given.iter_mut().filter_map(Option::take).collect());
        let Some(others) = others else { return Ok(own) };
        self.end_sums(others)?;
        Ok(sum_in_tree(others.gather(&own)?))
    }
}

impl Meeting<'_> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes numbers of a shard those of all. Where a shard has failed they stay as they are, and the step will be none.
    fn sum(&self, shard: usize, numbers: &mut [f64]) {
        let mut state = self.state();
        if state.is_over {
            return;
        }
        state.given[shard] = Some(numbers.to_vec());
        if state.given.iter().all(Option::is_some) {
            match state.sum_of_all(self.others) {
                Ok(sum) => {
                    state.sum = sum;
                    state.rounds += 1;
                }
                Err(error) => state.fail(shard, error),
            }
            self.turn.notify_all();
        } else {
            let round = state.rounds;
            let waits = |state: &mut State| state.rounds == round && !state.is_over;
            state = self.turn.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner);
        }
        // Nobody begins the next one before all have this.
        if !state.is_over {
            numbers.copy_from_slice(&state.sum);
        }
    }

    /// Gradients of a shard that are there: they are on their way to other processes as soon as all shards have them, which is at
    /// the same place between two sums in all processes.
    fn hand_on(&self, others: &dyn Processes, shard: usize, values: Range<usize>, gradients: &[f32]) {
        let own = gradients[values.clone()].to_vec();
        let mut state = self.state();
        state.pieces[shard].push_back((values, own));
        while !state.is_over && state.pieces.iter().all(|pieces| !pieces.is_empty()) {
            let (ranges, lists): (Vec<_>, _) = state.pieces.iter_mut().filter_map(VecDeque::pop_front).unzip();
            others.begin_sum(sum_in_tree(lists));
            state.begun.extend(ranges.into_iter().next());
        }
    }
}

/// Lets the others go on when a shard ends by a panic, or does not begin.
struct Leaving<'a>(&'a Meeting<'a>);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.state().is_over = true;
            self.0.turn.notify_all();
        }
    }
}

impl<N: Network> Training<N> {
    /// The sum of the losses of some shards, each on a thread of its own; the gradients of all shards of all processes are there
    /// then, and the state that all of them made of the network's.
    pub(super) fn backward_together<L: Loss<N::Output>>(
        &mut self,
        mode: Mode,
        network: &N,
        shards: &[(&Batch<N::Input>, L)],
        parts: &[Part],
        samples: usize,
        others: Option<&dyn Processes>,
    ) -> Result<f64, Error> {
        let count = shards.len();
        let state = State {
            given: (0..count).map(|_| None).collect(),
            pieces: (0..count).map(|_| VecDeque::new()).collect(),
            ..State::default()
        };
        let meeting = &Meeting { others, state: Mutex::new(state), turn: Condvar::new() };
        let mut side_by_side = core::mem::take(&mut self.side_by_side);
        let is_waited_for = count > 1 || others.is_some();
        side_by_side.prepare(count, is_waited_for);
        for training in &mut side_by_side.trainings {
            training.follow_run(self);
        }
        let SideBySide { trainings, pools } = &mut side_by_side;
        let pools = &*pools;
        let run = |shard: usize, training: &mut Self| {
            let _leaving = Leaving(meeting);
            let ((input, loss), part) = (&shards[shard], &parts[shard]);
            let sum = |numbers: &mut [f64]| meeting.sum(shard, numbers);
            let member = Member { sum: &sum, samples, is_alone: is_waited_for && pools.is_empty() };
            let mut hand_on = |values: Range<usize>, gradients: &[f32]| {
                if let Some(others) = others {
                    meeting.hand_on(others, shard, values, gradients);
                }
            };
            let hand_on = others.map(|_| &mut hand_on as HandOn<'_>);
            training.backward_part(mode, network, input, loss, part, Some(&member), hand_on).unwrap_or_else(|error| {
                meeting.state().fail(shard, error);
                meeting.turn.notify_all();
                0.0
            })
        };
        let run = &|shard: usize, training: &mut Self| match pools.get(shard) {
            Some(pool) => pool.install(|| run(shard, training)),
            None => run(shard, training),
        };
        let losses: f64 = if count == 1 {
            f64::from(run(0, self))
        } else {
            thread::scope(|scope| {
                // If the system gives not so many threads.
                let _leaving = Leaving(meeting);
                let each = trainings.iter_mut().chain([&mut *self]).enumerate();
                let threads: Vec<_> = each.map(|(shard, training)| scope.spawn(move || run(shard, training))).collect();
                let losses =
                    threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
                losses.map(f64::from).sum()
            })
        };
        let done = self.take_gradients(meeting, trainings);
        self.side_by_side = side_by_side;
        done.map(|()| losses)
    }

    fn take_gradients(&mut self, meeting: &Meeting<'_>, trainings: &mut [Self]) -> Result<(), Error> {
        let mut state = meeting.state();
        if let Some((_, error)) = state.failed.take() {
            return Err(error);
        }
        match meeting.others {
            Some(others) => {
                state.end_sums(others)?;
                let State { begun, ended, .. } = &mut *state;
                for (values, sum) in begun.drain(..).zip(ended.drain(..)) {
                    self.gradients.values_mut()[values].copy_from_slice(&sum);
                }
            }
            None => {
                self.tree.clear();
                for training in trainings {
                    self.tree.push(training.gradients.buffer_mut(), &training.state);
                }
                // All have made the same of the state.
                let own = self.state.to_vec();
                self.tree.push(self.gradients.buffer_mut(), &own);
                self.tree.finish(self.gradients.buffer_mut(), &mut self.state);
                self.state.copy_from_slice(&own);
            }
        }
        Ok(())
    }
}
