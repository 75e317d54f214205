//! Where maps and their gradients live: a place in one memory for each, in which another may lie while nobody reads it. What
//! the backward pass does not look at is gone when the forward pass has read it for the last time, and gradients lie where
//! maps were.

use super::place::{gradient_home, home};
use crate::plan::{INPUT, Kind, MapId, Plan, StepId};
use crate::size::Size;

/// The memory of a pass, or of both passes of training.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) blocks: Vec<Block>,
    /// The blocks of each map's values and of its gradient, if they have some of their own, by the map's number.
    values: Vec<Option<usize>>,
    gradients: Vec<Option<usize>>,
    /// Blocks of users' layers that cannot add to a gradient.
    apart: Vec<(StepId, usize)>,
    /// Values per sample in all blocks that the macro places; the others lie behind.
    pub(crate) placed: u64,
}

/// A place in the memory.
#[derive(Debug)]
pub(crate) struct Block {
    /// Values per sample.
    pub(crate) len: Size,
    /// The first of them; a size that only rustc knows is behind all others.
    pub(crate) first: Option<u64>,
    life: Life,
}

/// The steps in which something is written or read, the first and the last. Those of the way back are later ones.
#[derive(Debug, Clone, Copy)]
struct Life {
    first: usize,
    last: usize,
}

impl Block {
    /// Whether it holds something in a step, or is to be written there.
    pub(crate) fn lives(&self, now: usize) -> bool {
        self.life.meets(Life { first: now, last: now })
    }
}

/// When a step goes backwards: after all have gone forward.
pub(crate) fn backwards(plan: &Plan, step: StepId) -> usize {
    2 * plan.steps.len() - 1 - step
}

impl Life {
    fn meets(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// Where a map, or its gradient, lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// It is the network's input.
    Input,
    /// It is the network's output.
    Output,
    Block(usize),
}

/// Places start on cache lines, however many samples there are.
const LINE: u64 = 16;

impl Memory {
    /// The place of the values of a map that has memory of its own.
    pub(crate) fn place(&self, base: MapId) -> Place {
        place(&self.values, base)
    }

    /// The place of such a map's gradient.
    pub(crate) fn gradient_place(&self, base: MapId) -> Place {
        place(&self.gradients, base)
    }

    /// The block in which a user's layer leaves a gradient that it cannot add.
    pub(crate) fn apart(&self, step: StepId) -> Option<usize> {
        self.apart.iter().find(|(other, _)| *other == step).map(|(_, block)| *block)
    }

    fn new(plan: &Plan) -> Self {
        Self { values: vec![None; plan.maps.len()], gradients: vec![None; plan.maps.len()], ..Self::default() }
    }

    /// A block of this length, which something is done to now.
    fn touch(&mut self, block: Option<usize>, len: impl FnOnce() -> Size, now: usize) -> usize {
        match block {
            Some(block) => {
                self.blocks[block].life.last = now;
                block
            }
            None => {
                self.blocks.push(Block { len: len(), first: None, life: Life { first: now, last: now } });
                self.blocks.len() - 1
            }
        }
    }

    fn touch_values(&mut self, plan: &Plan, map: MapId, now: usize) {
        let (base, output) = (home(plan, map).base, home(plan, plan.output).base);
        if base != INPUT && base != output {
            self.values[base.0] = Some(self.touch(self.values[base.0], || plan.map(base).shape.len(), now));
        }
    }

    fn touch_gradient(&mut self, plan: &Plan, map: MapId, now: usize) {
        let (base, output) = (gradient_home(plan, map).base, gradient_home(plan, plan.output).base);
        if base != INPUT && base != output {
            self.gradients[base.0] = Some(self.touch(self.gradients[base.0], || plan.map(base).shape.len(), now));
        }
    }

    /// Every step of the forward pass, from the first on.
    fn forward(&mut self, plan: &Plan) {
        for (now, step) in plan.steps.iter().enumerate() {
            step.inputs.iter().chain([&step.output]).for_each(|map| self.touch_values(plan, *map, now));
        }
    }

    /// Every step of the backward pass, from the last on.
    fn backward(&mut self, plan: &Plan) {
        for (index, step) in plan.steps.iter().enumerate().rev() {
            let now = backwards(plan, index);
            if step.reads_inputs_backwards() {
                step.inputs.iter().for_each(|map| self.touch_values(plan, *map, now));
            }
            if step.reads_output_backwards() {
                self.touch_values(plan, step.output, now);
            }
            self.touch_gradient(plan, step.output, now);
            if !step.runs() {
                continue;
            }
            for (number, map) in step.inputs.iter().enumerate() {
                self.touch_gradient(plan, *map, now);
                if matches!(step.kind, Kind::Custom(_)) && step.adds.get(number) == Some(&true) {
                    let block = self.touch(None, || plan.map(*map).shape.len(), now);
                    self.apart.push((index, block));
                }
            }
        }
    }

    /// Finds a place for each block: the largest first, as far in front as nothing lies that lives at the same time.
    fn placed(mut self) -> Self {
        let len = |block: &Block| block.len.known().map(|len| len.saturating_add(LINE - 1) / LINE * LINE);
        let mut known: Vec<_> = (0..self.blocks.len()).filter(|block| len(&self.blocks[*block]).is_some()).collect();
        known.sort_by_key(|block| std::cmp::Reverse(len(&self.blocks[*block])));
        // What is placed, in the order of the places.
        let mut settled: Vec<(u64, u64, Life)> = Vec::new();
        for block in known {
            let (life, len) = (self.blocks[block].life, len(&self.blocks[block]).expect("it is known"));
            let mut first = 0_u64;
            for (start, end, other) in &settled {
                if !other.meets(life) {
                    continue;
                }
                if first.saturating_add(len) <= *start {
                    break;
                }
                first = first.max(*end);
            }
            let end = first.saturating_add(len);
            self.blocks[block].first = Some(first);
            self.placed = self.placed.max(end);
            let at = settled.partition_point(|(start, ..)| *start <= first);
            settled.insert(at, (first, end, life));
        }
        self
    }

    /// Blocks in the order in which they lie: those of the macro's sizes by their places, then the others.
    pub(crate) fn order(&self, block: usize) -> (u64, usize) {
        (self.blocks[block].first.unwrap_or(u64::MAX), block)
    }

    /// The blocks that the macro does not place, in the order in which they lie.
    pub(crate) fn behind(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.blocks.len()).filter(|block| self.blocks[*block].first.is_none())
    }
}

fn place(blocks: &[Option<usize>], base: MapId) -> Place {
    match blocks[base.0] {
        Some(block) => Place::Block(block),
        None if base == INPUT => Place::Input,
        None => Place::Output,
    }
}

/// Maps in evaluation.
pub(crate) fn evaluation(plan: &Plan) -> Memory {
    let mut memory = Memory::new(plan);
    memory.forward(plan);
    memory.placed()
}

/// Maps in training, and their gradients.
pub(crate) fn training(plan: &Plan) -> Memory {
    let mut memory = Memory::new(plan);
    memory.forward(plan);
    memory.backward(plan);
    memory.placed()
}
