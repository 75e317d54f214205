//! What a layer may know of the pass it is part of.

use crate::kernel::scratch::Scratch;

/// Whether a pass is one of training or of use. It is chosen at every call; no network remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Random layers draw.
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
    layer: u64,
    pub(crate) scratch: &'a mut Scratch,
}

impl<'a> Pass<'a> {
    pub(crate) fn new(mode: Mode, seed: u64, step: u64, scratch: &'a mut Scratch) -> Self {
        Self { mode, seed, step, layer: 0, scratch }
    }

    /// The same pass, at another layer of the network. Expanded code calls it before each layer.
    pub fn at(&mut self, layer: u64) -> &mut Self {
        self.layer = layer;
        self
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
