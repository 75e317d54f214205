//! A network that does nothing any more but predict.

use core::fmt;
use core::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use super::{MadeFor, Network};
use crate::kernel::memory::buffer::Buffer;
use crate::kernel::memory::chunk::{alone, for_each_share, in_pool, thread, threads};
use crate::kernel::memory::scratch::Scratch;
use crate::layer::{Mode, Owned, Pass, step};
use crate::shape::Shape;
use crate::tensor::{Batch, Sample, Tensor};

/// What [`Network::freeze`] makes of a network of type `N`: its weights, prepared once, and memory to predict in.
///
/// A clone shares the weights and has memory of its own: give one to each thread. After the first batch of a size it
/// allocates nothing, but what [threads](crate#threads) says of calls from outside of rayon's pool. What is little work, such as
/// one sample of a small network, is done on the thread that asks, and no other is woken.
///
/// ```
/// use cnn_core::prelude::*;
///
/// network! {
///     /// A linear classifier.
///     pub Classifier<1, 28, 28> { flatten, fc: linear<10> }
/// }
///
/// let predictor = Classifier::new(0).freeze();
/// std::thread::scope(|scope| {
///     for _ in 0..2 {
///         let mut predictor = predictor.clone();
///         scope.spawn(move || predictor.predict(&Tensor::zeros()).argmax());
///     }
/// });
/// ```
pub struct Predictor<N: Network> {
    frozen: Arc<Frozen>,
    workspace: Workspace<N>,
    output: Buffer,
}

/// What all clones share.
struct Frozen {
    prepared: Buffer,
    counts: Vec<u64>,
}

/// What each has for itself.
struct Workspace<N> {
    /// As many as threads may work apart; the first is there from the start, and works for samples that go together.
    workers: Vec<Mutex<Worker>>,
    network: PhantomData<fn() -> N>,
}

/// What samples are predicted in.
#[derive(Default)]
struct Worker {
    /// What the steps work in for each batch, then the maps.
    values: Buffer,
    /// A copy of those of the network, because a user's layer may write to them.
    counts: Vec<u64>,
    scratch: Scratch,
}

impl<N: Network> Predictor<N> {
    pub(super) fn new(network: &N, made_for: MadeFor) -> Self {
        let weights = network.weights();
        let mut prepared = Buffer::zeros(N::PREPARED.values);
        in_pool(prepared.len(), || N::prepare_steps(made_for, weights.values(), weights.state(), &mut prepared));
        Self::of(Arc::new(Frozen { prepared, counts: weights.counts().to_vec() }))
    }

    /// With memory for one sample.
    fn of(frozen: Arc<Frozen>) -> Self {
        let mut worker = Worker::default();
        worker.prepare::<N>(1, in_pool(N::COST, threads));
        let workspace = Workspace { workers: vec![Mutex::new(worker)], network: PhantomData };
        Self { frozen, workspace, output: Buffer::zeros(N::Output::LEN) }
    }

    /// What the network makes of a sample, until the next one. Its heads are those of
    /// [`alone`](crate::tensor::Sample::alone).
    pub fn predict(&mut self, sample: &Tensor<N::Input>) -> Sample<'_, N::Output> {
        self.workspace.run(&self.frozen, 1, sample.values(), &mut self.output);
        Sample::new(&self.output)
    }

    /// Makes `output` what the network makes of `input`.
    pub fn predict_batch(&mut self, input: &Batch<N::Input>, output: &mut Batch<N::Output>) {
        output.resize(input.len());
        if !input.is_empty() {
            self.workspace.run(&self.frozen, input.len(), input.values(), output.values_mut());
        }
    }
}

impl<N: Network> Workspace<N> {
    /// Samples that go through the steps together at most: as many as make reading the weights once more for others a small
    /// part of reading and writing their maps, and as many as a cache holds.
    const TOGETHER: usize = {
        /// Values of maps that a cache holds (8 MB).
        const CACHE: usize = 1 << 21;
        let values = if N::PREPARED.values > CACHE { N::PREPARED.values } else { CACHE };
        if N::PREPARED.by_sample { values.div_ceil(Self::MAP) } else { usize::MAX }
    };

    /// Values of a sample's maps.
    const MAP: usize = if N::MEMORY.prediction > 0 { N::MEMORY.prediction } else { 1 };

    /// Samples that a thread takes through the steps by itself at most, or none.
    const APART: usize = {
        /// Values that the cache of one processor holds (half a megabyte), and leaves room for others.
        const CACHE: usize = 1 << 17;
        /// Multiply-adds for each value of the weights, so that it does not matter that each thread reads them.
        const WORK: usize = 256;
        let most = if Self::MAP < CACHE { CACHE / Self::MAP } else { 1 };
        let reads_little = N::PREPARED.values <= CACHE || most.saturating_mul(N::COST) / WORK >= N::PREPARED.values;
        if N::PREPARED.by_sample && reads_little { most } else { 0 }
    };

    fn run(&mut self, frozen: &Frozen, samples: usize, input: &[f32], output: &mut [f32]) {
        in_pool(N::COST.saturating_mul(samples), || {
            let apart = self.run_apart(frozen, samples, input, output);
            let (input, output) = (&input[apart * N::Input::LEN..], &mut output[apart * N::Output::LEN..]);
            let worker = self.workers[0].get_mut().unwrap_or_else(PoisonError::into_inner);
            let rest = samples - apart;
            let together = rest.div_ceil(rest.div_ceil(Self::TOGETHER).max(1));
            // Also where there is no rest: the next batch may have one.
            worker.prepare::<N>(together, threads());
            if rest > 0 {
                let inputs = input.chunks(together * N::Input::LEN);
                for (input, output) in inputs.zip(output.chunks_mut(together * N::Output::LEN)) {
                    worker.run::<N>(frozen, input, output);
                }
            }
        });
    }

    /// Predicts the first samples, each thread as many as the others, and says how many. No thread waits for another at each
    /// step, and what it reads is in its own cache: LeNet-5 on 64 takes a tenth less time so on two threads.
    fn run_apart(&mut self, frozen: &Frozen, samples: usize, input: &[f32], output: &mut [f32]) -> usize {
        let threads = threads();
        let of_thread = if Self::APART > 0 && threads > 1 { samples / threads } else { 0 };
        if of_thread == 0 {
            return 0;
        }
        if self.workers.len() < threads {
            self.workers.resize_with(threads, Mutex::default);
        }
        let (apart, parts) = (threads * of_thread, threads * of_thread.div_ceil(Self::APART));
        // All of them, as nobody knows who will have a part.
        for worker in &mut self.workers {
            let worker = worker.get_mut().unwrap_or_else(PoisonError::into_inner);
            worker.prepare::<N>(apart.div_ceil(parts), 1);
        }
        let (workers, output) = (&self.workers, &mut output[..apart * N::Output::LEN]);
        for_each_share(apart, parts, N::COST.saturating_mul(apart), output, |samples, output| {
            let input = &input[samples.start * N::Input::LEN..samples.end * N::Input::LEN];
            // A panic left numbers behind, and numbers are all that it has.
            let mut worker = workers[thread()].lock().unwrap_or_else(PoisonError::into_inner);
            alone(|| worker.run::<N>(frozen, input, output));
        });
        apart
    }
}

impl Worker {
    /// Grows to what so many samples take, if it is smaller.
    fn prepare<N: Network>(&mut self, samples: usize, threads: usize) {
        self.values.grow(N::PREPARED.saved + samples * N::MEMORY.prediction);
        self.scratch.prepare(N::PREPARED.needs, threads);
        self.counts.resize(step::counts(N::STEPS), 0);
    }

    fn run<N: Network>(&mut self, frozen: &Frozen, input: &[f32], output: &mut [f32]) {
        let samples = input.len() / N::Input::LEN;
        self.counts.copy_from_slice(&frozen.counts);
        let (saved, workspace) = self.values.split_at_mut(N::PREPARED.saved);
        let (parameters, counts) = (&frozen.prepared, &mut self.counts[..]);
        let owned = Owned { parameters, state: &mut [], counts, saved, workspace };
        let mut pass = Pass::new(Mode::Evaluation, 0, 0, &mut self.scratch);
        N::predict_steps(&mut pass, samples, owned, input, output);
    }
}

impl<N: Network> Clone for Predictor<N> {
    fn clone(&self) -> Self {
        Self::of(Arc::clone(&self.frozen))
    }
}

impl<N: Network> fmt::Debug for Predictor<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Predictor<{}>({} values)", N::NAME, self.frozen.prepared.len())
    }
}
