//! Evaluation that keeps its memory.

use core::fmt;
use core::marker::PhantomData;

use super::Network;
use crate::kernel::memory::buffer::Buffer;
use crate::kernel::memory::chunk::{in_pool, threads};
use crate::kernel::memory::scratch::Scratch;
use crate::layer::{Mode, Owned, Pass, step};
use crate::tensor::Batch;

/// Memory to run a network of type `N` in, whose weights may change between two batches; where they do not, a
/// [`Predictor`](super::Predictor) is faster. After the first batch, and until a larger one or a pool of more threads, it
/// allocates nothing on a thread of rayon's pool; from `main` see [threads](crate#threads).
pub struct Inference<N> {
    workspace: Buffer,
    state: Buffer,
    counts: Vec<u64>,
    saved: Buffer,
    scratch: Scratch,
    network: PhantomData<fn() -> N>,
}

impl<N: Network> Inference<N> {
    /// Without any memory yet.
    pub fn new() -> Self {
        Self {
            workspace: Buffer::zeros(0),
            state: Buffer::zeros(step::state(N::STEPS)),
            counts: vec![0; step::counts(N::STEPS)],
            saved: Buffer::zeros(step::saved(N::STEPS)),
            scratch: Scratch::default(),
            network: PhantomData,
        }
    }

    /// Makes `output` what the network makes of `input`, in evaluation mode.
    pub fn run(&mut self, network: &N, input: &Batch<N::Input>, output: &mut Batch<N::Output>) {
        let samples = input.len();
        output.resize(samples);
        if samples == 0 {
            return;
        }
        in_pool(N::COST.saturating_mul(samples), || {
            self.workspace.grow(samples * N::MEMORY.evaluation);
            self.scratch.prepare(N::NEEDS, threads());
            // A copy, because a layer may write to its state; in evaluation none of ours does.
            self.state.copy_from_slice(network.weights().state());
            self.counts.copy_from_slice(network.weights().counts());
            let owned = Owned {
                parameters: network.weights().values(),
                state: &mut self.state,
                counts: &mut self.counts,
                saved: &mut self.saved,
                workspace: &mut self.workspace,
            };
            let mut pass = Pass::new(Mode::Evaluation, 0, 0, &mut self.scratch);
            N::evaluate(&mut pass, samples, owned, input.values(), output.values_mut());
        });
    }
}

impl<N: Network> Default for Inference<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<N: Network> fmt::Debug for Inference<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Inference<{}>({} values)", N::NAME, self.workspace.len())
    }
}
