//! What a training step does to each step of a network, where that is not the same for all: parts of it are frozen, or run as
//! in evaluation.

use super::{Operation, Step};

/// Of the steps of a network, and of those of networks within it.
#[derive(Debug)]
pub(crate) struct Parts {
    steps: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    /// Whether it, or a step within it, has weights that are trained.
    trains: bool,
    /// Whether anybody wants a gradient by what it takes.
    wants_input: bool,
    /// Whether it runs as in evaluation.
    evaluates: bool,
    /// The first of its tensors, or of those within it.
    tensor: usize,
    /// Of a network.
    inner: Option<Parts>,
}

/// What is said of the steps, in their order: of a network that is a step, of its steps in its place.
pub(crate) struct Said<'a> {
    /// Of each trainable tensor, whether it is frozen; none is if there are none.
    pub(crate) frozen: &'a [bool],
    /// Of each step that is no network, whether it runs as in evaluation; none does if there are none.
    pub(crate) evaluates: &'a [bool],
    /// Whether a gradient by the input is wanted.
    pub(crate) wants_input: bool,
}

/// The places that are read next.
#[derive(Default)]
struct Next {
    tensor: usize,
    step: usize,
}

impl Parts {
    /// Of a network of these steps.
    pub(crate) fn new(steps: &[Step], said: &Said<'_>) -> Self {
        Self::next(steps, said, said.wants_input, &mut Next::default())
    }

    fn next(steps: &[Step], said: &Said<'_>, wants_input: bool, next: &mut Next) -> Self {
        let mut parts: Vec<Part> = Vec::with_capacity(steps.len());
        for step in steps {
            let wants = |map: &usize| match map.checked_sub(1) {
                None => wants_input,
                Some(maker) => parts[maker].trains || parts[maker].wants_input,
            };
            let wants_input = step.inputs.iter().any(wants);
            // Whoever shares weights has the tensors of the step that owns them.
            let owned = step.shares.map(|owner| Next { tensor: parts[owner].tensor, step: next.step });
            let mut at = owned.unwrap_or(Next { ..*next });
            let tensor = at.tensor;
            let (trains, evaluates, inner) = match step.operation {
                Operation::Network(steps) => {
                    let inner = Self::next(steps, said, wants_input, &mut at);
                    (inner.steps.iter().any(|part| part.trains), false, Some(inner))
                }
                operation => {
                    at.tensor += operation.parameters().as_slice().len();
                    at.step += 1;
                    let is_trained = |tensor: usize| !said.frozen.get(tensor).copied().unwrap_or(false);
                    let evaluates = said.evaluates.get(at.step - 1).copied().unwrap_or(false);
                    ((tensor..at.tensor).any(is_trained), evaluates, None)
                }
            };
            next.step = at.step;
            if step.shares.is_none() {
                next.tensor = at.tensor;
            }
            parts.push(Part { trains, wants_input, evaluates, tensor, inner });
        }
        Self { steps: parts }
    }

    /// The first step that is trained, or that wants the gradient of its input.
    pub(crate) fn first(&self) -> usize {
        let first = self.steps.iter().position(|part| part.trains || part.wants_input);
        first.unwrap_or(self.steps.len())
    }

    /// Whether a gradient by anything is wanted.
    pub(crate) fn trains(&self) -> bool {
        self.first() < self.steps.len()
    }

    /// The first trainable tensor of a step.
    pub(crate) fn first_tensor(&self, step: usize) -> usize {
        self.steps[step].tensor
    }

    pub(super) fn trains_step(&self, step: usize) -> bool {
        self.steps[step].trains
    }

    pub(super) fn wants_input_of(&self, step: usize) -> bool {
        self.steps[step].wants_input
    }

    pub(crate) fn evaluates(&self, step: usize) -> bool {
        self.steps[step].evaluates
    }

    pub(crate) fn inner(&self, step: usize) -> Option<&Self> {
        self.steps[step].inner.as_ref()
    }
}
