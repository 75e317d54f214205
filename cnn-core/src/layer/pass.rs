//! What a layer may know of the pass it is part of.

use core::fmt;

use super::parts::Parts;
use crate::kernel::memory::scratch::Scratch;
use crate::kernel::normalization::batch_norm2d;

/// Whether a pass is one of training or of use. It is chosen at every call; no network remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Random layers draw; normalizations take the statistics of the batch, and running ones move towards them.
    Training,
    /// Every layer is a plain function of its input.
    Evaluation,
}

/// Somebody who looks at what each step of a pass makes: the step, from 0, the values, and how many lie from a cell to the next,
/// 0 where no others are between.
pub(crate) struct Viewer<'a>(pub(crate) &'a mut dyn FnMut(usize, usize, &[f32]));

impl fmt::Debug for Viewer<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Viewer")
    }
}

/// Makes numbers that a step reckons of its shard the sum of those of all shards, which do the same step.
#[derive(Clone, Copy)]
pub(crate) struct Summed<'a>(pub(crate) batch_norm2d::Summed<'a>);

impl fmt::Debug for Summed<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Summed")
    }
}

/// A pass over a batch: its mode, what random layers key their draws with, and memory that loops may use.
#[derive(Debug)]
pub struct Pass<'a> {
    mode: Mode,
    seed: u64,
    training_step: u64,
    /// Of the network that the layers are counted in: 0 of the outermost.
    network: u64,
    layer: u64,
    /// The layer as that network counts it.
    step: usize,
    /// What is said of that network's layers, if they are not all the same.
    parts: Option<&'a Parts>,
    /// The steps that it is of, from one cut to another.
    begin: usize,
    end: usize,
    /// A cut, and the memory of the steps before it as they left it, if those do not go with the others.
    cut: Option<(usize, &'a [f32])>,
    /// Samples of the step before those of this pass.
    first_sample: usize,
    /// The last layer, a softmax, if the loss takes its logits.
    softmax_of_loss: Option<u64>,
    /// Who looks on, at the outermost network's steps.
    viewer: Option<Viewer<'a>>,
    /// How statistics become those of all shards, if they do.
    summed: Option<Summed<'a>>,
    pub(crate) scratch: &'a mut Scratch,
}

impl<'a> Pass<'a> {
    pub(crate) fn new(mode: Mode, seed: u64, training_step: u64, scratch: &'a mut Scratch) -> Self {
        Self {
            mode,
            seed,
            training_step,
            network: 0,
            layer: 0,
            step: 0,
            parts: None,
            begin: 0,
            end: usize::MAX,
            cut: None,
            first_sample: 0,
            softmax_of_loss: None,
            viewer: None,
            summed: None,
            scratch,
        }
    }

    /// The same pass, of a network whose layers are not all treated alike.
    pub(crate) fn with_parts(self, parts: Option<&'a Parts>) -> Self {
        Self { parts, ..self }
    }

    /// The same pass, of samples behind so many others of the step.
    pub(crate) fn with_first_sample(self, first_sample: usize) -> Self {
        Self { first_sample, ..self }
    }

    /// The same pass, of a shard whose normalizations take the statistics of all shards.
    pub(crate) fn with_summed(self, sum: batch_norm2d::Summed<'a>) -> Self {
        Self { summed: Some(Summed(sum)), ..self }
    }

    /// How statistics become those of all shards, if they do; and memory.
    pub(crate) fn summed(&mut self) -> (Option<batch_norm2d::Summed<'a>>, &mut Scratch) {
        (self.summed.map(|Summed(sum)| sum), self.scratch)
    }

    /// How many samples of the step come before those of this pass: what a random layer adds to the number of a sample that it
    /// draws by.
    pub fn first_sample(&self) -> usize {
        self.first_sample
    }

    /// What is said of the layers, if they are not treated alike.
    pub(crate) fn parts(&self) -> Option<&'a Parts> {
        self.parts
    }

    /// The same pass, of the steps before a cut.
    pub(crate) fn before(&mut self, cut: usize) -> &mut Self {
        self.of_steps(0, cut)
    }

    /// The same pass, of the steps behind a cut.
    pub(crate) fn behind(&mut self, cut: usize) -> &mut Self {
        self.of_steps(cut, usize::MAX)
    }

    /// The same pass, of the steps between two cuts.
    pub(crate) fn of_steps(&mut self, begin: usize, end: usize) -> &mut Self {
        (self.begin, self.end) = (begin, end);
        self
    }

    /// The same pass behind a cut, when the steps before it have left their memory so.
    pub(crate) fn behind_left(&mut self, cut: usize, left: &'a [f32]) -> &mut Self {
        self.cut = Some((cut, left));
        self.behind(cut)
    }

    /// Whether the steps from this one on to the next cut belong to it. Expanded code asks where a network can be cut.
    pub fn runs(&self, step: usize) -> bool {
        self.begin <= step && step < self.end
    }

    /// Whether the steps from this one on do not belong to it.
    pub fn ends_before(&self, step: usize) -> bool {
        self.end == step
    }

    /// The cut behind which it is, and the memory of the steps before, if those did not go forward with the others.
    pub(crate) fn cut(&self) -> Option<(usize, &'a [f32])> {
        self.cut
    }

    /// Whether the weights of this layer are trained: nobody reads their gradient otherwise.
    pub(crate) fn trains(&self) -> bool {
        self.parts.is_none_or(|parts| parts.trains_step(self.step))
    }

    /// Whether anybody wants the gradient of this layer's input.
    pub(crate) fn wants_input(&self) -> bool {
        self.parts.is_none_or(|parts| parts.wants_input_of(self.step))
    }

    /// The same pass, in which the loss takes the logits of the network's last layer, a softmax: that one passes on what it
    /// gets, both ways.
    pub(crate) fn with_softmax_of_loss(self, last: usize) -> Self {
        Self { softmax_of_loss: Some(last as u64), ..self }
    }

    /// The same pass, with somebody who looks on.
    pub(crate) fn with_viewer(self, viewer: &'a mut dyn FnMut(usize, usize, &[f32])) -> Self {
        Self { viewer: Some(Viewer(viewer)), ..self }
    }

    /// Shows the map that a step has just made in evaluation or, going backwards, the gradient of its map that it is about to
    /// pass on. Expanded code calls it at each step; where nobody looks on, that is one comparison.
    #[inline]
    pub fn show(&mut self, step: usize, stride: usize, values: &[f32]) {
        if let Some(Viewer(view)) = &mut self.viewer {
            view(step, stride, values);
        }
    }

    /// Whether the softmax at this layer is the loss's.
    pub(crate) fn is_softmax_of_loss(&self) -> bool {
        self.network == 0 && self.softmax_of_loss == Some(self.layer)
    }

    /// The same pass, at another layer of the network. Expanded code calls it before each layer.
    pub fn at(&mut self, layer: u64) -> &mut Self {
        self.layer = self.network.wrapping_add(layer);
        self.step = layer as usize;
        self
    }

    /// Does the work of a network that is a step of another one: its layers are numbered apart from all others.
    pub(crate) fn inside<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        let outer = (self.network, self.layer, self.step, self.parts, self.begin, self.end, self.cut);
        self.parts = self.parts.and_then(|parts| parts.inner(self.step));
        (self.begin, self.end, self.cut) = (0, usize::MAX, None);
        let viewer = self.viewer.take();
        // An odd factor is a permutation of the numbers, and this one (2^64 over the golden ratio) scatters them: what is
        // few steps away outside is far away inside.
        self.network = self.layer.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let result = work(self);
        (self.network, self.layer, self.step, self.parts, self.begin, self.end, self.cut) = outer;
        self.viewer = viewer;
        result
    }

    /// Training or evaluation: of this layer.
    pub fn mode(&self) -> Mode {
        match self.parts {
            Some(parts) if parts.evaluates(self.step) => Mode::Evaluation,
            _ => self.mode,
        }
    }

    /// The seed of the run.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How many training steps came before.
    pub fn step(&self) -> u64 {
        self.training_step
    }

    /// Which layer of the network this is.
    pub fn layer(&self) -> u64 {
        self.layer
    }
}
