//! Where maps and their gradients live: a place in one memory for each, in which another may lie while nobody reads it. What
//! the backward pass does not look at is gone when the forward pass has read it for the last time, as is what it makes again
//! (`again.rs`), and gradients lie where maps were.

use std::collections::BTreeSet;

use super::again::{self, Rebuild};
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
    /// Those of values that are made a second time, for the way back.
    rebuilt: Vec<Option<usize>>,
    /// What is made a second time, in the order in which it is.
    rebuilds: Vec<Rebuild>,
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

    /// The same on the way back.
    pub(crate) fn place_backwards(&self, base: MapId) -> Place {
        self.rebuilt[base.0].map_or_else(|| self.place(base), Place::Block)
    }

    /// What is made again before a step goes backwards.
    pub(crate) fn again_before(&self, now: usize) -> impl Iterator<Item = &Rebuild> {
        self.rebuilds.iter().filter(move |rebuild| rebuild.now == now)
    }

    /// The maps whose memory is made a second time until then.
    pub(crate) fn rebuilt_until(&self, now: usize) -> impl Iterator<Item = MapId> + '_ {
        self.rebuilds.iter().filter(move |rebuild| rebuild.now <= now).map(|rebuild| rebuild.base)
    }

    /// The maps with memory that are made before a step and read by it or later ones, where nothing goes backwards.
    pub(crate) fn crossing(&self, step: StepId) -> Vec<MapId> {
        let crosses = |block: &usize| {
            let Life { first, last } = self.blocks[*block].life;
            first < step && last >= step
        };
        let bases = self.values.iter().enumerate().filter(|(_, block)| block.as_ref().is_some_and(crosses));
        bases.map(|(base, _)| MapId(base)).collect()
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
        let [values, gradients, rebuilt] = [(); 3].map(|()| vec![None; plan.maps.len()]);
        Self { values, gradients, rebuilt, ..Self::default() }
    }

    /// A block of this length, which something is done to now.
    fn touch(&mut self, block: Option<usize>, len: impl FnOnce() -> Size, now: usize) -> usize {
        match block {
            Some(block) => {
                let Life { first, last } = &mut self.blocks[block].life;
                (*first, *last) = ((*first).min(now), (*last).max(now));
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

    /// The values of a map on the way back.
    fn touch_kept(&mut self, plan: &Plan, map: MapId, now: usize) {
        let base = home(plan, map).base;
        match self.rebuilt[base.0] {
            Some(block) => _ = self.touch(Some(block), || Size::Known(0), now),
            None => self.touch_values(plan, map, now),
        }
    }

    /// What is made again, from what it is made of.
    fn rebuild(&mut self, plan: &Plan, rebuilds: Vec<Rebuild>) {
        for Rebuild { base, now, .. } in &rebuilds {
            let block = self.touch(None, || plan.map(*base).shape.len(), *now);
            self.rebuilt[base.0] = Some(block);
        }
        for Rebuild { now, steps, .. } in &rebuilds {
            let inputs = steps.iter().flat_map(|step| &plan.steps[*step].inputs);
            inputs.for_each(|map| self.touch_kept(plan, *map, *now));
        }
        self.rebuilds = rebuilds;
    }

    fn touch_gradient(&mut self, plan: &Plan, map: MapId, now: usize) {
        let (base, output) = (gradient_home(plan, map).base, gradient_home(plan, plan.output).base);
        if base != INPUT && base != output {
            self.gradients[base.0] = Some(self.touch(self.gradients[base.0], || plan.map(base).shape.len(), now));
        }
    }

    /// Every step of the forward pass, from the first on.
    fn forward(&mut self, plan: &Plan) {
        for (now, step) in plan.steps.iter().enumerate().filter(|(_, step)| step.pooled_by.is_none()) {
            // A view of what is computed where it is pooled is none of anything.
            let is_there = |map: &&MapId| plan.maker(**map).is_none_or(|maker| plan.steps[maker].pooled_by.is_none());
            let maps = plan.reads(now).iter().chain([&step.output]).filter(is_there);
            maps.for_each(|map| self.touch_values(plan, *map, now));
        }
    }

    /// Every step of the backward pass, from the last on.
    fn backward(&mut self, plan: &Plan) {
        for (index, step) in plan.steps.iter().enumerate().rev() {
            let now = backwards(plan, index);
            step.inputs_read_backwards().for_each(|map| self.touch_kept(plan, map, now));
            if step.reads_output_backwards() {
                self.touch_kept(plan, step.output, now);
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
    fn settle(mut self) -> Self {
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
    memory.settle()
}

/// Maps in training, and their gradients. What takes less time to make again than a few hundredths of a step is not kept,
/// where that saves memory: the largest first.
pub(crate) fn training(plan: &Plan) -> Memory {
    training_within(plan, again::budget(plan))
}

/// The same where so much may be spent on making again.
pub(crate) fn training_within(plan: &Plan, mut budget: u128) -> Memory {
    let mut memory = training_without(plan, &BTreeSet::new());
    let mut dropped = BTreeSet::new();
    for candidate in again::candidates(plan) {
        let len = plan.map(candidate.base).shape.known_len().unwrap_or(0);
        // What is a hundredth of all is not worth the macro's time.
        if candidate.cost > budget || len < memory.placed / 100 {
            continue;
        }
        dropped.insert(candidate.base);
        let without = training_without(plan, &dropped);
        if without.placed + len / 2 <= memory.placed {
            (memory, budget) = (without, budget - candidate.cost);
        } else {
            dropped.remove(&candidate.base);
        }
    }
    memory
}

/// The same where these are made again.
fn training_without(plan: &Plan, dropped: &BTreeSet<MapId>) -> Memory {
    let mut memory = Memory::new(plan);
    memory.forward(plan);
    memory.rebuild(plan, again::rebuilds(plan, dropped));
    memory.backward(plan);
    memory.settle()
}
