//! A network that does nothing any more but predict.

use core::fmt;
use core::marker::PhantomData;
use std::sync::Arc;

use super::{MadeFor, Network};
use crate::kernel::memory::buffer::Buffer;
use crate::kernel::memory::chunk::{in_pool, threads};
use crate::kernel::memory::scratch::Scratch;
use crate::layer::{Mode, Owned, Pass};
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
    /// What the steps work in for each batch, then the maps.
    values: Buffer,
    /// A copy of those of the network, because a user's layer may write to them.
    counts: Vec<u64>,
    scratch: Scratch,
    network: PhantomData<fn() -> N>,
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
        let workspace = Workspace {
            values: Buffer::zeros(Workspace::<N>::len(1)),
            counts: frozen.counts.clone(),
            scratch: Scratch::new(N::PREPARED.needs, in_pool(N::COST, threads)),
            network: PhantomData,
        };
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
        let map = if N::MEMORY.prediction > 0 { N::MEMORY.prediction } else { 1 };
        if N::PREPARED.by_sample { values.div_ceil(map) } else { usize::MAX }
    };

    /// How many of a batch go through the steps together.
    fn together(samples: usize) -> usize {
        samples.div_ceil(samples.div_ceil(Self::TOGETHER))
    }

    /// Values that a batch is predicted in.
    fn len(samples: usize) -> usize {
        N::PREPARED.saved + Self::together(samples) * N::MEMORY.prediction
    }

    fn run(&mut self, frozen: &Frozen, samples: usize, input: &[f32], output: &mut [f32]) {
        self.values.grow(Self::len(samples));
        in_pool(N::COST.saturating_mul(samples), || {
            self.scratch.prepare(N::PREPARED.needs, threads());
            let together = Self::together(samples);
            let inputs = input.chunks(together * N::Input::LEN);
            for (input, output) in inputs.zip(output.chunks_mut(together * N::Output::LEN)) {
                self.counts.copy_from_slice(&frozen.counts);
                let (saved, workspace) = self.values.split_at_mut(N::PREPARED.saved);
                let (parameters, counts) = (&frozen.prepared, &mut self.counts[..]);
                let owned = Owned { parameters, state: &mut [], counts, saved, workspace };
                let mut pass = Pass::new(Mode::Evaluation, 0, 0, &mut self.scratch);
                N::predict_steps(&mut pass, input.len() / N::Input::LEN, owned, input, output);
            }
        });
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
