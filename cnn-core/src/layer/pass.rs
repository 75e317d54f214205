//! What a layer may know of the pass it is part of.

use crate::kernel::memory::scratch::Scratch;

/// Whether a pass is one of training or of use. It is chosen at every call; no network remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Random layers draw; normalizations take the statistics of the batch, and running ones move towards them.
    Training,
    /// Every layer is a plain function of its input.
    Evaluation,
}

/// A pass over a batch: its mode, what random layers key their draws with, and memory that loops may use.
#[derive(Debug)]
pub struct Pass<'a> {
    mode: Mode,
    seed: u64,
    step: u64,
    /// Of the network that the layers are counted in: 0 of the outermost.
    network: u64,
    layer: u64,
    /// The last layer, a softmax, if the loss takes its logits.
    softmax_of_loss: Option<u64>,
    pub(crate) scratch: &'a mut Scratch,
}

impl<'a> Pass<'a> {
    pub(crate) fn new(mode: Mode, seed: u64, step: u64, scratch: &'a mut Scratch) -> Self {
        Self { mode, seed, step, network: 0, layer: 0, softmax_of_loss: None, scratch }
    }

    /// The same pass, in which the loss takes the logits of the network's last layer, a softmax: that one passes on what it
    /// gets, both ways.
    pub(crate) fn with_softmax_of_loss(self, last: usize) -> Self {
        Self { softmax_of_loss: Some(last as u64), ..self }
    }

    /// Whether the softmax at this layer is the loss's.
    pub(crate) fn is_softmax_of_loss(&self) -> bool {
        self.network == 0 && self.softmax_of_loss == Some(self.layer)
    }

    /// The same pass, at another layer of the network. Expanded code calls it before each layer.
    pub fn at(&mut self, layer: u64) -> &mut Self {
        self.layer = self.network.wrapping_add(layer);
        self
    }

    /// Does the work of a network that is a step of another one: its layers are numbered apart from all others.
    pub(crate) fn inside<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        let outer = (self.network, self.layer);
        // An odd factor is a permutation of the numbers, and this one (2^64 over the golden ratio) scatters them: what is
        // few steps away outside is far away inside.
        self.network = self.layer.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let result = work(self);
        (self.network, self.layer) = outer;
        result
    }

    /// Training or evaluation.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The seed of the run.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How many training steps came before.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Which layer of the network this is.
    pub fn layer(&self) -> u64 {
        self.layer
    }
}
