//! Where maps and their gradients live. In evaluation and backwards a slot is used again when nobody reads what is in it any
//! more; in training every map is kept for the backward pass.

use super::place::{gradient_home, home};
use crate::plan::{INPUT, Kind, MapId, Plan, StepId};
use crate::size::Size;

/// The memory of one pass.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    /// Values per sample of each slot.
    pub(crate) sizes: Vec<Size>,
    /// The slot of each map that has memory of its own, by its number.
    of: Vec<Option<usize>>,
    /// Slots of users' layers that cannot add to a gradient.
    pub(crate) apart: Vec<(StepId, usize)>,
}

/// Where a map lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// It is the network's input.
    Input,
    /// It is the network's output.
    Output,
    Slot(usize),
}

impl Slots {
    /// The place of a map that has memory of its own.
    pub(crate) fn place(&self, base: MapId) -> Place {
        match self.of[base.0] {
            Some(slot) => Place::Slot(slot),
            None if base == INPUT => Place::Input,
            None => Place::Output,
        }
    }

    fn new(plan: &Plan) -> Self {
        Self { sizes: Vec::new(), of: vec![None; plan.maps.len()], apart: Vec::new() }
    }

    /// The free slot that fits a map best. A size that only rustc knows gets a slot of its own.
    fn take(&mut self, len: Size, free: &mut Vec<usize>) -> usize {
        let known = |slot: usize| self.sizes[slot].known();
        let best = len.known().and_then(|len| {
            let candidates = free.iter().copied().filter_map(|slot| Some((slot, known(slot)?)));
            candidates.min_by_key(|(_, size)| if *size >= len { (0, *size) } else { (1, u64::MAX - size) })
        });
        match best {
            Some((slot, size)) => {
                free.retain(|other| *other != slot);
                self.sizes[slot] = Size::Known(size.max(len.known().unwrap_or(0)));
                slot
            }
            None => {
                self.sizes.push(len);
                self.sizes.len() - 1
            }
        }
    }

    /// Gives a map memory, if it needs some that it does not have yet.
    fn give(&mut self, plan: &Plan, base: MapId, output: MapId, free: &mut Vec<usize>) {
        if base != INPUT && base != output && self.of[base.0].is_none() {
            self.of[base.0] = Some(self.take(plan.map(base).shape.len(), free));
        }
    }
}

/// Maps in evaluation.
pub(crate) fn evaluation(plan: &Plan) -> Slots {
    let (mut slots, mut free) = (Slots::new(plan), Vec::new());
    let output = home(plan, plan.output).base;
    // The last step that reads or writes in a map's memory.
    let mut last = vec![0; plan.maps.len()];
    for (index, step) in plan.steps.iter().enumerate() {
        step.inputs.iter().chain([&step.output]).for_each(|map| last[home(plan, *map).base.0] = index);
    }
    for (index, step) in plan.steps.iter().enumerate() {
        slots.give(plan, home(plan, step.output).base, output, &mut free);
        for map in step.inputs.iter().chain([&step.output]) {
            let base = home(plan, *map).base;
            if last[base.0] == index {
                free.extend(slots.of[base.0].filter(|slot| !free.contains(slot)));
            }
        }
    }
    slots
}

/// Maps in training.
pub(crate) fn training(plan: &Plan) -> Slots {
    let mut slots = Slots::new(plan);
    let output = home(plan, plan.output).base;
    for step in &plan.steps {
        slots.give(plan, home(plan, step.output).base, output, &mut Vec::new());
    }
    slots
}

/// Gradients of maps.
pub(crate) fn gradient(plan: &Plan) -> Slots {
    let (mut slots, mut free) = (Slots::new(plan), Vec::new());
    let output = gradient_home(plan, plan.output).base;
    // The step that makes a map is the last to read the map's gradient.
    let mut last = vec![usize::MAX; plan.maps.len()];
    for (index, step) in plan.steps.iter().enumerate().rev() {
        last[gradient_home(plan, step.output).base.0] = index;
    }
    // A map whose gradient is a part of the input's, or shares it, is never done with.
    for (index, step) in plan.steps.iter().enumerate().rev() {
        if !step.runs() {
            continue;
        }
        for (number, map) in step.inputs.iter().enumerate() {
            slots.give(plan, gradient_home(plan, *map).base, output, &mut free);
            if matches!(step.kind, Kind::Custom(_)) && step.adds.get(number) == Some(&true) {
                let slot = slots.take(plan.map(*map).shape.len(), &mut free);
                slots.apart.push((index, slot));
                free.push(slot);
            }
        }
        let base = gradient_home(plan, step.output).base;
        if last[base.0] == index {
            free.extend(slots.of[base.0].filter(|slot| !free.contains(slot)));
        }
    }
    slots
}
